"""Finds the groups of features behind a gap between groups of people."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.experiment.feature_use import Group, use_of
from pipelines.candidates.sample import Sample
from pipelines.credit.discrimination import mid_ranks

BY_LEVERAGE, BY_ASSOCIATION = 8, 4
"""Numbers of groups chosen by their effect on the gap, and by association with the protected attribute."""


def proxy_features_of(
    groups: Sequence[Group], closed: dict[str, float], sample: Sample, levels: NDArray[np.object_]
) -> list[Group]:
    """Return the groups whose shuffling closes the gap most, and of the others those most associated with `levels`.

    `closed` is the reduction of the gap when a group is shuffled, by the name of its use; `levels` has shape (n,), None
    is missing.
    """
    by_leverage = sorted((one for one in groups if closed[use_of(one)] > 0), key=lambda one: -closed[use_of(one)])
    proxies = by_leverage[:BY_LEVERAGE]
    others = [one for one in groups if one not in proxies]
    strength = {one: max(association(sample.columns[name], levels) for name in one) for one in others}
    return [*proxies, *sorted(others, key=lambda one: -strength[one])[:BY_ASSOCIATION]]


def association(values: NDArray[Any], levels: NDArray[np.object_]) -> float:
    """Return how well a feature separates one group of people from the others, 0 to 1, for the best separated group.

    For a number the Gini of its ranks (missing ones in the middle); for a category the largest difference in a share.

    >>> association(np.array([1.0, 2.0, 3.0, 4.0]), np.array(["m", "m", "f", "f"], dtype=object))
    1.0
    """
    is_known = levels != np.array(None)
    names = np.unique(levels[is_known].astype(str))
    measure = _difference_of_shares if values.dtype == object else _gini_of_ranks
    members = [levels[is_known] == name for name in names]
    return max((measure(values[is_known], one) for one in members if 0 < one.sum() < len(one)), default=0.0)


def _gini_of_ranks(values: NDArray[np.float64], is_member: NDArray[np.bool_]) -> float:
    present = ~np.isnan(values)
    ranks = np.full(len(values), 0.5)
    ranks[present] = (mid_ranks(values[present]) - 0.5) / max(present.sum(), 1)
    return float(abs(ranks[is_member].mean() - ranks[~is_member].mean()) * 2)


def _difference_of_shares(values: NDArray[np.object_], is_member: NDArray[np.bool_]) -> float:
    _, codes = np.unique([str(value) for value in values], return_inverse=True)
    within, without = (
        np.bincount(codes[rows], minlength=codes.max() + 1) / rows.sum() for rows in (is_member, ~is_member)
    )
    return float(np.abs(within - without).max())
