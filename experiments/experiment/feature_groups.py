"""Groups of features that stand in for each other: dropping one alone would leave the others to say the same."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.experiment.feature_use import Group
from pipelines.candidates.sample import Sample

ALIKE = 0.5
"""Features whose mean rank correlation is at least this share a group."""

FEWEST_ROWS = 30
"""With fewer rows in which both are known, a correlation says nothing."""


def feature_groups(sample: Sample) -> list[Group]:
    """Return the features in groups: numeric ones clustered by rank correlation, each categorical one by itself.

    Average linkage on 1 - |Spearman's rho|, over rows in which both are known.
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
    """Return the correlations of the columns' ranks, each pair over the rows in which both are known; 0 for constants.

    `columns` has shape (n, p), NaN is unknown.
    """
    from scipy.stats import rankdata

    known = ~np.isnan(columns)
    ranks = rankdata(columns, axis=0, nan_policy="omit") / len(columns) - 0.5
    ranks = np.where(known, ranks, 0.0)
    weight = known.astype(np.float64)
    rows, sums, squares = weight.T @ weight, ranks.T @ weight, (ranks**2).T @ weight
    rows = np.where(rows < FEWEST_ROWS, np.nan, rows)
    covariance = (ranks.T @ ranks) / rows - sums * sums.T / rows**2
    variance = squares / rows - (sums / rows) ** 2
    scale = variance * variance.T
    is_telling = scale > 1e-12
    return np.where(is_telling, covariance / np.sqrt(np.where(is_telling, scale, 1.0)), 0.0)
