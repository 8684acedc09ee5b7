"""Why an application was declined: the groups of features that raised its risk most, in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.meanings import default_meaning
from pipelines.model_store.predictor import Predictor
from pipelines.policy import ReasonSettings

LEAST = 1e-9
"""A smaller contribution, in log-odds, is what rounding leaves of none."""


@dataclass(frozen=True)
class Reasons:
    """Of n applications the groups that raised the risk, largest first, and the words for each.

    `sizes` is the sum of the contributions of the group's features, in log-odds. A row without reasons is an empty
    list: nothing raised its risk above that of the average applicant, or the model does not tell.
    """

    groups: list[list[str]]
    words: list[list[str]]
    sizes: list[list[float]]


def reasons_of(predictor: Predictor, features: pd.DataFrame, settings: ReasonSettings) -> Reasons:
    """Return at most `settings.most` reasons for each application, in the words of the policy where it has some.

    Other words are the meaning of the group's feature that raised the risk most, and whether its value was higher or
    lower than usual among the applications that the model was learnt from.
    """
    told = predictor.contributions(features)
    if told is None or features.empty:
        return Reasons([[]] * len(features), [[]] * len(features), [[]] * len(features))
    groups = reason_groups(predictor)
    added = dict(zip([*predictor.numeric, *predictor.categorical], told[1].T, strict=True))
    sums = np.column_stack([reduce(np.add, [added[name] for name in members]) for members in groups.values()])
    top = np.argsort(-sums, axis=1, kind="stable")[:, : settings.most]  # equal ones by the name of their group
    sizes = np.take_along_axis(sums, top, axis=1)
    words = np.empty(top.shape, dtype=object)
    for place, (group, members) in enumerate(groups.items()):
        rows, ranks = np.nonzero((top == place) & (sizes > LEAST))
        leading = np.array(members)[np.argmax([added[name][rows] for name in members], axis=0)]
        words[rows, ranks] = settings.wording.get(group) or _words(predictor, features.iloc[rows], leading)
    counts = (sizes > LEAST).sum(axis=1).tolist()
    named = np.array(list(groups), dtype=object)[top]
    return Reasons(_first(named, counts), _first(words, counts), _first(sizes, counts))


def reason_groups(predictor: Predictor) -> dict[str, list[str]]:
    """Return the features of each group, by the name of the group."""
    found: dict[str, list[str]] = {}
    for name in (*predictor.numeric, *predictor.categorical):
        found.setdefault(str(_description(predictor, name)["group"]), []).append(name)
    return dict(sorted(found.items()))


def notice(reasons: Sequence[str], settings: ReasonSettings) -> list[str]:
    """Return the lines that an applicant is told: the policy's opening, the reasons by number, the policy's notice.

    >>> notice(["few orders"], ReasonSettings(opening="We could not approve this because of:"))
    ['We could not approve this because of:', '1. few orders']
    """
    numbered = [f"{number}. {words}" for number, words in enumerate(reasons, start=1)]
    return [line for line in (settings.opening, *numbered, settings.notice) if line]


def _description(predictor: Predictor, name: str) -> Mapping[str, Any]:
    """Return what the model's card says of a feature; one of before cards described them has its name."""
    return predictor.meanings.get(name) or vars(default_meaning(name)) | {"usual": None}


def _first(table: NDArray[Any], counts: Sequence[int]) -> list[list[Any]]:
    return [row[:count] for row, count in zip(table.tolist(), counts, strict=True)]


def _words(predictor: Predictor, features: pd.DataFrame, leading: NDArray[np.str_]) -> NDArray[np.object_]:
    """Return of each row what its leading feature says in words."""
    words = np.empty(len(features), dtype=object)
    for name in np.unique(leading).tolist():
        rows = np.flatnonzero(leading == name)
        words[rows] = _told(_description(predictor, name), features[name].iloc[rows], name in predictor.numeric)
    return words


def _told(described: Mapping[str, Any], values: "pd.Series[Any]", is_number: bool) -> NDArray[np.object_]:
    """Return the meaning of a feature, and how each value lies to the usual one where that can be said."""
    meaning, usual = described["meaning"], described["usual"]
    words = np.where(values.isna(), f"{meaning} (not known)", meaning).astype(object)
    if is_number and usual is not None:
        words[(values > usual).to_numpy()] = f"{meaning} (higher than usual)"
        words[(values < usual).to_numpy()] = f"{meaning} (lower than usual)"
    return words
