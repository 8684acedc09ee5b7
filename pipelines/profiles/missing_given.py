"""How often a column is missing given another one: learnt from a reference, checked from counts.

A column may be empty where another one says so: there is no mean order where the number of orders is 0, no last order
of a newcomer. Such gaps grow with those who have them, and are no fault. Where another column explains most of a
column's gaps in the reference, the gaps of a window are expected from the counts of that column alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlog1py, xlogy

from pipelines.profiles.frozen_bins import FrozenBins

Floats = NDArray[np.float64]

MOST_ROWS = 20_000
"""Rows, spread evenly, that are searched for columns which explain gaps."""

LEAST_ROWS = 20
"""A column is searched where at least so many rows lack it, and as many have it."""

EXPLAINED = 0.5
"""Another column explains gaps where it takes at least this part of their deviance away (McFadden 1974)."""

COMPLETE = 0.01
"""Only a column that is itself missing in at most this share of the rows explains the gaps of others: columns that are
missing together share a cause, which may be a fault."""

MOSTLY = 0.5
"""In a bin of another column with at least this share of missing values a column is expected to be missing."""

MOST_OTHERS = 3
"""Columns that are kept for each column, those that explain most."""


@dataclass(frozen=True)
class MissingGiven:
    """How often a column is missing where the column `other` is in each of its bins: `rates`, shape (bins,)."""

    other: str
    rates: tuple[float, ...]

    def gaps(self, counts: NDArray[np.int64]) -> "Gaps":
        """Return the gaps to expect of a window, given its counts of the other column.

        >>> MissingGiven("orders", (0.0, 1.0, 1.0, 0.0, 0.0)).gaps(np.array([0, 0, 30, 70, 0]))
        Gaps(share=0.3, missing=0.3, rest=0.0)
        """
        share, rates = counts / max(int(counts.sum()), 1), np.array(self.rates)
        is_gap = rates >= MOSTLY
        within = float(share[is_gap].sum())
        rest = float(share[~is_gap] @ rates[~is_gap]) / max(1 - within, 1e-12)
        return Gaps(within, float(share[is_gap] @ rates[is_gap]), rest)


@dataclass(frozen=True)
class Gaps:
    """Where a column is expected to be missing: in most of a `share` of the rows, `missing` as a share of all rows.

    `rest` is how often it is expected to be missing in the other rows.
    """

    share: float
    missing: float
    rest: float

    def rest_of(self, missing: float) -> float:
        """Return how often a column is missing in the other rows, given how often it is missing in all rows."""
        return float(np.clip((missing - self.missing) / max(1 - self.share, 1e-12), 0, 1))


def missing_given(
    bins: Sequence[FrozenBins], values: Mapping[str, NDArray[Any]]
) -> dict[str, tuple[MissingGiven, ...]]:
    """Return for each column those that explain its gaps, the best first; columns without any are left out.

    `values` has the columns of `bins`, as `FrozenBins.count` takes them, all of one length.
    """
    rows = len(next(iter(values.values()), ()))
    some = np.unique(np.linspace(0, rows - 1, min(rows, MOST_ROWS)).astype(np.intp))
    places = {one.column: one.places(values[one.column][some]) for one in bins if one.column in values}
    gaps = {column: place == 0 for column, place in places.items()}
    whole = [one for one in bins if one.column in gaps and gaps[one.column].mean() <= COMPLETE]
    found: dict[bytes, list[tuple[float, MissingGiven]]] = {}
    learnt = {}
    for column, gap in gaps.items():
        if not LEAST_ROWS <= gap.sum() <= len(gap) - LEAST_ROWS:
            continue
        pattern = gap.tobytes()  # many columns are missing in the same rows
        if pattern not in found:
            found[pattern] = sorted(_explaining(gap, whole, places), key=lambda one: -one[0])
        best = tuple(one for _, one in found[pattern][:MOST_OTHERS] if one.other != column)
        if best:
            learnt[column] = best
    return learnt


def _explaining(
    gap: NDArray[np.bool_], others: Sequence[FrozenBins], places: Mapping[str, NDArray[np.intp]]
) -> Iterator[tuple[float, MissingGiven]]:
    share = gap.mean()
    alone = _likelihood(np.array([gap.sum()], dtype=np.float64), np.array([len(gap)], dtype=np.float64))
    for one in others:
        rows = np.bincount(places[one.column], minlength=len(one.labels)).astype(np.float64)
        missing = np.bincount(places[one.column], gap, len(one.labels)).astype(np.float64)
        explained = 1 - _likelihood(missing, rows) / alone
        if explained >= EXPLAINED:
            rates = np.where(rows > 0, missing / np.maximum(rows, 1), share)
            if one.edges is not None:  # beyond the range as at its end
                rates[[1, -1]] = np.where(rows[[1, -1]] > 0, rates[[1, -1]], rates[[2, -2]])
            yield explained, MissingGiven(one.column, tuple(rates.tolist()))


def _likelihood(missing: Floats, rows: Floats) -> float:
    rate = missing / np.maximum(rows, 1)
    return float((xlogy(missing, rate) + xlog1py(rows - missing, -rate)).sum())
