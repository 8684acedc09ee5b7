"""The groups of protected attributes that are compared: levels as they are, numbers in the bands of the policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from pipelines.applications.contract import as_text
from pipelines.credit.fairness import Labels

MOST_CODES = 12
"""A number with more distinct values is no code of a group, and needs bands."""

MISSING = "missing"


@dataclass(frozen=True)
class ProtectedGroups:
    """The group of each application by attribute, each of shape (n,), and why an attribute has no groups."""

    labels: dict[str, Labels]
    ungrouped: dict[str, str]


def protected_groups(values: pd.DataFrame, bands: Mapping[str, Sequence[float]]) -> ProtectedGroups:
    """Return the groups of each protected attribute, a column of `values`.

    `bands` has the edges between the bands of an attribute's numbers. An attribute with more than 12 different numbers
    and no bands has no groups.

    >>> groups = protected_groups(pd.DataFrame({"age": [19, 34, 35, None]}), {"age": [25, 35]})
    >>> groups.labels["age"].tolist()
    ['under 25', '25 to under 35', '35 or more', 'missing']
    """
    groups = ProtectedGroups({}, {})
    for column in values:
        name = str(column)
        codes, levels = pd.factorize(as_text(values[column]))  # -1 is missing
        texts = np.array([*map(str, levels), MISSING], dtype=np.str_)
        numbers = pd.to_numeric(pd.Series(levels, dtype=object), errors="coerce").to_numpy(np.float64)
        distinct = int(np.isfinite(numbers).sum())
        if name in bands:
            edges = [float(edge) for edge in bands[name]]
            named = _band_names(edges)
            is_number = np.isfinite(numbers)
            names = np.array(named)[np.searchsorted(edges, numbers, side="right")]
            texts = np.array([*np.where(is_number, names, texts[:-1]), MISSING], dtype=np.str_)
        elif distinct > MOST_CODES:
            groups.ungrouped[name] = (
                f"{name} has {distinct:,} different numbers and no bands; set policy.fairness.bands.{name}=[...] to "
                "the edges between its groups"
            )
            continue
        groups.labels[name] = texts[codes]
    return groups


def _band_names(edges: Sequence[float]) -> list[str]:
    texts = [f"{edge:g}" for edge in edges]
    between = [f"{low} to under {high}" for low, high in pairwise(texts)]
    return [f"under {texts[0]}", *between, f"{texts[-1]} or more"]
