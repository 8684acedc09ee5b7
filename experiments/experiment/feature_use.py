"""How much a trial uses each group of features, as parameters that a study searches: from 0 (dropped) to 10 (full)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.candidate import Candidate
from pipelines.candidates.sample import Sample
from pipelines.candidates.weakened import WeakenedCandidate

Group = tuple[str, ...]
Parameters = Mapping[str, float | int]

USE = "use/"
"""Prefix of the name of such a parameter; the first feature of the group follows."""

FULL_USE = 10

ALIKE = 0.5
"""Features whose mean absolute rank correlation is at least this share a group."""

FEWEST_ROWS = 30
"""Correlations over fewer rows with both values count as 0."""


def use_of(group: Group) -> str:
    """Return the name of the parameter for the use of a group.

    >>> use_of(("spent_30d", "spent_90d"))
    'use/spent_30d'
    """
    return USE + group[0]


def is_use(name: str) -> bool:
    """Return whether a parameter is the use of a group."""
    return name.startswith(USE)


def has_uses(parameters: Parameters) -> bool:
    """Return whether any parameter is the use of a group."""
    return any(map(is_use, parameters))


def without_uses(parameters: Parameters) -> dict[str, float | int]:
    """Return the parameters of the candidate itself."""
    return {name: value for name, value in parameters.items() if not is_use(name)}


def dropped(groups: Sequence[Group], parameters: Parameters) -> list[str]:
    """Return the features whose use is 0."""
    return [feature for group in groups if _use(group, parameters) == 0 for feature in group]


def weakened(groups: Sequence[Group], parameters: Parameters) -> dict[Group, float]:
    """Return the partly used groups, each with the share by which it is weakened."""
    uses = {group: _use(group, parameters) for group in groups}
    return {group: 1 - use / FULL_USE for group, use in uses.items() if 0 < use < FULL_USE}


def candidate_in_use(candidate: Candidate, groups: Sequence[Group], parameters: Parameters) -> Candidate:
    """Return the candidate with the groups weakened as the parameters set."""
    shares = weakened(groups, parameters)
    return WeakenedCandidate(candidate, shares) if shares else candidate


def sample_in_use(sample: Sample, groups: Sequence[Group], parameters: Parameters) -> Sample:
    """Return the sample without the dropped features."""
    removed = set(dropped(groups, parameters))
    if not removed:
        return sample
    numeric = tuple(name for name in sample.numeric if name not in removed)
    categorical = tuple(name for name in sample.categorical if name not in removed)
    columns = {name: sample.columns[name] for name in (*numeric, *categorical)}
    return replace(sample, columns=columns, numeric=numeric, categorical=categorical)


def _use(group: Group, parameters: Parameters) -> float:
    return parameters.get(use_of(group), FULL_USE)


def feature_groups(sample: Sample) -> list[Group]:
    """Return the features in groups: numeric ones clustered by rank correlation, each categorical one alone.

    Features that stand in for each other share a group: dropping one of them alone would change little. Average linkage
    on 1 - |Spearman's rho|.
    """
    numeric = _clustered(sample) if len(sample.numeric) > 1 else [(name,) for name in sample.numeric]
    return [*numeric, *((name,) for name in sample.categorical)]


def _clustered(sample: Sample) -> list[Group]:
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = 1 - np.abs(rank_correlations(np.column_stack([sample.columns[name] for name in sample.numeric])))
    np.fill_diagonal(distance, 0.0)
    labels = fcluster(linkage(squareform(distance, checks=False), "average"), 1 - ALIKE, "distance")
    groups: dict[int, list[str]] = {}
    for name, label in zip(sample.numeric, labels, strict=True):
        groups.setdefault(int(label), []).append(name)
    return [tuple(names) for names in groups.values()]


def rank_correlations(columns: NDArray[np.float64]) -> NDArray[Any]:
    """Return Spearman's correlations of columns, shape (n, p), over the rows with both values; 0 for constants."""
    from scipy.stats import rankdata

    is_present = ~np.isnan(columns)
    ranks = rankdata(columns, axis=0, nan_policy="omit") / len(columns) - 0.5
    ranks = np.where(is_present, ranks, 0.0)
    weight = is_present.astype(np.float64)
    rows, sums, squares = weight.T @ weight, ranks.T @ weight, (ranks**2).T @ weight
    rows = np.where(rows < FEWEST_ROWS, np.nan, rows)
    covariance = (ranks.T @ ranks) / rows - sums * sums.T / rows**2
    variance = squares / rows - (sums / rows) ** 2
    scale = variance * variance.T
    varies = scale > 1e-12
    return np.where(varies, covariance / np.sqrt(np.where(varies, scale, 1.0)), 0.0)
