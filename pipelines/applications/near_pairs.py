"""Finds pairs of applications that differ in a few features: copies with several changed values."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb, log

import numpy as np
from numpy.typing import NDArray

from pipelines.applications.feature_codes import FeatureCodes, Hashes, Rows

SHARE, MOST = 5, 3
"""Of so many features one may differ in near copies, and at most this many of all."""

MOST_ALIKE = 8
"""Rows that agree in a part of the features are compared with each other where they are so few."""


def most_changed(features: int) -> int:
    """Return in how many features near copies may differ.

    >>> [most_changed(features) for features in (1, 6, 10, 15, 40)]
    [1, 1, 2, 3, 3]
    """
    return max(1, min(features // SHARE, MOST))


def near_pairs(columns: Sequence[FeatureCodes], rows: int, rarest: int, limit: float) -> tuple[Rows, Rows]:
    """Return the pairs of rows that differ in 2 to `most_changed` features, as two arrays of rows.

    The features are divided into one part more than may differ, so that near copies agree in a whole part. A pair
    counts where the log shares of the `rarest` of its equal values sum to less than `limit`, the log of a chance; a
    number that several features repeat, such as the same instalment of each month, counts once.
    """
    changed = most_changed(len(columns))
    none = np.empty(0, np.intp)
    if changed < 2:
        return none, none
    found = [_alike(columns, *pair, changed, rarest, limit) for pair in _candidates(columns, rows, changed + 1)]
    ones, others = (np.concatenate([none, *side]) for side in ([one for one, _ in found], [two for _, two in found]))
    return ones, others


def _candidates(columns: Sequence[FeatureCodes], rows: int, parts: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield pairs of rows that agree in a part of the features; each part has features of many levels and of few."""
    by_levels = sorted(range(len(columns)), key=lambda index: -len(columns[index].level_hashes))
    every = np.arange(rows)
    for part in range(parts):
        keys: Hashes = np.zeros(rows, np.uint64)
        for index in by_levels[part::parts]:
            keys += columns[index].hashes(every)
        yield _pairs_of_few(keys)


def _pairs_of_few(keys: Hashes) -> tuple[Rows, Rows]:
    """Return all pairs of rows with one key, of keys that at most MOST_ALIKE rows have."""
    order = np.argsort(keys, kind="stable")
    begins = np.flatnonzero(np.r_[True, np.diff(keys[order]) != 0])
    sizes = np.diff(np.r_[begins, len(keys)])
    ones, others = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for one, other in combinations(range(MOST_ALIKE), 2):
        at = begins[(sizes > other) & (sizes <= MOST_ALIKE)]
        ones.append(order[at + one])
        others.append(order[at + other])
    return np.concatenate(ones), np.concatenate(others)


def _alike(
    columns: Sequence[FeatureCodes], ones: Rows, others: Rows, changed: int, rarest: int, limit: float
) -> tuple[Rows, Rows]:
    differing = np.zeros(len(ones), np.intp)
    shares: NDArray[np.float32] = np.zeros((len(ones), rarest), np.float32)
    values: Hashes = np.zeros((len(ones), rarest), np.uint64)
    for column in columns:
        codes = column.codes[ones]
        is_equal = codes == column.codes[others]
        differing += ~is_equal
        share, value = np.where(is_equal, column.log_shares[codes], np.float32(0)), column.value_hashes[codes]
        last = np.argmax(shares, axis=1)
        is_rarer = (share < shares[np.arange(len(ones)), last]) & ~(values == value[:, None]).any(axis=1)
        shares[is_rarer, last[is_rarer]], values[is_rarer, last[is_rarer]] = share[is_rarer], value[is_rarer]
    ways = np.array([log(comb(len(columns), number)) for number in range(changed + 1)])
    is_near = (differing >= 2) & (differing <= changed)
    is_near &= shares.sum(axis=1) < limit - ways[np.minimum(differing, changed)]
    return ones[is_near], others[is_near]
