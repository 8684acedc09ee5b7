"""The frozen bins of a column, in which a reference and its windows are counted."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST_BINS = 10
LEAST_ROWS = 20
LEAST_SHARE = 0.01
"""Smallest bin, in rows and as a share of them: smaller counts are noise; rarer levels go to `other`."""


@dataclass(frozen=True)
class FrozenBins:
    """The bins of one column, named as `profile_column` names it.

    Numeric: `missing`, `below` and `above` the reference's range, and between them bins closed on the right at `edges`.
    Categorical: `missing`, each frequent level, `other` for the reference's rare ones, `unseen` for what it never held.
    `twice` is how many levels the reference holds exactly twice (see `pipelines.profiles.unseen`).
    """

    column: str
    edges: tuple[float, ...] | None = None
    lowest: float = 0.0
    highest: float = 0.0
    levels: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()
    twice: int = 0

    @classmethod
    def of_numbers(cls, column: str, values: NDArray[np.float64]) -> Self:
        """Freeze bins at the quantiles of the reference's values, shape (n,)."""
        present = np.sort(values[~np.isnan(values)])
        if not len(present):
            return cls(column, ())
        return cls(column, tuple(_edges(present)), float(present[0]), float(present[-1]))

    @classmethod
    def of_levels(cls, column: str, values: NDArray[np.object_]) -> Self:
        """Freeze a bin for each frequent level of the reference's values, shape (n,), text or None."""
        return cls.of_times(column, times_of(values), len(values))

    @classmethod
    def of_times(cls, column: str, times: Mapping[str, int], rows: int) -> Self:
        """Freeze a bin for each frequent level, given how many of the `rows` each level has."""
        enough = max(LEAST_ROWS, LEAST_SHARE * rows)
        frequent = {level for level, number in times.items() if number >= enough}
        twice = sum(number == 2 for number in times.values())
        return cls(column, levels=tuple(sorted(frequent)), rare=tuple(sorted({*times} - frequent)), twice=twice)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the bins, in the order in which `count` counts."""
        if self.edges is None:
            ours = ("missing", "other", "unseen")
            levels = [f"'{level}'" if level in ours else level for level in self.levels]
            return ("missing", *levels, "other", "unseen")
        if not self.edges:
            return ("missing", "below", "any", "above")
        texts = distinct_numbers(self.edges)
        between = [f"{low} to {high}" for low, high in pairwise(texts)]
        return ("missing", "below", f"up to {texts[0]}", *between, f"above {texts[-1]}", "above")

    def places(self, values: NDArray[Any]) -> NDArray[np.intp]:
        """Return the index of each value's bin, shape (n,); `count` counts them, faster."""
        last = len(self.labels) - 1
        if self.edges is None:
            places: dict[Any, int] = {None: 0, **self._places}
            levels = (None if one is None or one != one else str(one) for one in values)
            return np.array([places.get(level, last) for level in levels], dtype=np.intp)
        numbers = np.asarray(values, dtype=np.float64)
        inside = 2 + np.searchsorted(np.array(self.edges, dtype=np.float64), numbers, side="left")
        kinds = [np.isnan(numbers), numbers < self.lowest, numbers > self.highest]
        return np.asarray(np.select(kinds, [0, 1, last], inside), dtype=np.intp)

    def count(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return how many values fall into each bin, shape (bins,); counts of parts add up.

        Numbers are float64 or float32, NaN being missing; levels are text or None.
        """
        if self.edges is not None:
            return self._count_numbers(values, self.edges)
        times = times_of(values)
        return self.count_levels(times, len(values) - sum(times.values()))

    def count_levels(self, times: Mapping[str, int], missing: int) -> NDArray[np.int64]:
        """Return how many values fall into each bin, given how many times each level occurs."""
        counts = np.zeros(len(self.labels), dtype=np.int64)
        counts[0] = missing
        for level, number in times.items():
            counts[self._places.get(level, len(counts) - 1)] += number
        return counts

    def _count_numbers(self, values: NDArray[Any], edges: Sequence[float]) -> NDArray[np.int64]:
        """Count the values up to each edge and take differences, which is faster than binning each value."""
        lowest, *upper = _in_kind((-self.lowest, *edges, self.highest), values.dtype)
        missing = int(np.count_nonzero(values != values))
        below = int(np.count_nonzero(values < -lowest))
        reached = [int(np.count_nonzero(values <= edge)) for edge in upper]
        present = len(values) - missing
        return np.array([missing, below, *np.diff([below, *reached]), present - reached[-1]], dtype=np.int64)

    @cached_property
    def _places(self) -> dict[str, int]:
        other = len(self.levels) + 1
        return {level: 1 + number for number, level in enumerate(self.levels)} | dict.fromkeys(self.rare, other)

    def comparable(self, counts: NDArray[np.int64]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Return the bins as they are compared: a value beyond the range counts with the bin at that end.

        A few values beyond the reference's extremes are expected of any new sample; a move of many fills the end bins.
        A constant has no such tails: there every other value is news.
        """
        if self.edges is None or self.lowest == self.highest:
            return self.labels, counts
        merged = counts[[0, *range(2, len(counts) - 1)]].copy()
        merged[1] += counts[1]
        merged[-1] += counts[-1]
        return (self.labels[0], *self.labels[2:-1]), merged


def times_of(values: NDArray[np.object_]) -> dict[str, int]:
    """Return how many times each level occurs; None is no level."""
    return {str(level): int(number) for level, number in pd.Series(values, dtype=object).value_counts().items()}


@lru_cache(maxsize=4096)
def _in_kind(edges: tuple[float, ...], kind: Hashable) -> list[Any]:
    return [_at_most(edge, np.dtype(str(kind)).type) for edge in edges]


def _at_most(edge: float, kind: type[Any]) -> Any:
    """Return the largest number of a floating type that is not above an edge."""
    with np.errstate(over="ignore"):
        nearest = kind(edge)
    return nearest if float(nearest) <= edge else np.nextafter(nearest, kind(-np.inf))


def distinct_numbers(edges: Sequence[float]) -> list[str]:
    """Return numbers as text in the fewest digits, six at least, by which they differ."""
    spellings = ([f"{edge:.{digits}g}" for edge in edges] for digits in range(6, 18))
    return next(texts for texts in spellings if len(set(texts)) == len(texts))


def _edges(ordered: NDArray[np.float64]) -> Iterator[float]:
    """Yield the edges between bins of ascending values: quantiles, and on both sides of a value that many share."""
    bins = int(np.clip(len(ordered) // LEAST_ROWS, 1, MOST_BINS))
    cuts, times = np.unique(np.quantile(ordered, np.arange(1, bins) / bins, method="inverted_cdf"), return_counts=True)
    shared = cuts[(times > 1) | (cuts == ordered[-1])]
    below_shared = ordered[np.searchsorted(ordered, shared[shared > ordered[0]], side="left") - 1]
    done = 0
    for edge in np.union1d(cuts, below_shared).tolist():
        reached = int(np.searchsorted(ordered, edge, side="right"))
        if min(reached - done, len(ordered) - reached) >= LEAST_ROWS // 2:
            yield edge
            done = reached
