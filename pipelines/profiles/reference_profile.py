"""The reference profile of a model: counts of every column in frozen bins."""

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.credit.population import Population
from pipelines.profiles.column_names import profile_column
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.score_counts import ScoreCounts

SCORE = "points"
"""The name of the score's own column in a profile."""

MOST_BINS = 10
ANY_TIME = "any time"
"""The name of a reference's one period where its applications have no times."""

LEAST_ROWS = 20
LEAST_SHARE = 0.01
"""Smallest bin, in rows and as a share of them: smaller counts are noise; rarer levels go to `other`."""


@dataclass(frozen=True)
class FrozenBins:
    """The bins of one column, named as `profile_column` names it.

    Numeric: `missing`, `below` and `above` the reference's range, and between them bins closed on the right at `edges`.
    Categorical: `missing`, each frequent level, `other` for the reference's rare ones, `unseen` for what it never held.
    """

    column: str
    edges: tuple[float, ...] | None = None
    lowest: float = 0.0
    highest: float = 0.0
    levels: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()

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
        counts = pd.Series(values).dropna().value_counts()
        enough = counts >= max(LEAST_ROWS, LEAST_SHARE * len(values))
        frequent, rare = sorted(map(str, counts.index[enough])), sorted(map(str, counts.index[~enough]))
        return cls(column, None, levels=tuple(frequent), rare=tuple(rare))

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

    def count(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return how many values fall into each bin, shape (bins,); counts of parts add up.

        Numbers are float64 or float32, NaN being missing; levels are text or None.
        """
        if self.edges is not None:
            return self._count_numbers(values, self.edges)
        levels = pd.Series(values, dtype=object)
        times = {str(level): int(number) for level, number in levels.value_counts().items()}
        return self.count_levels(times, int(levels.isna().sum()))

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


@dataclass(frozen=True)
class ReferenceProfile:
    """Frozen bins and counts of the score and of each feature, over `rows` applications of one population.

    `by_period` has the same counts, and those of the score, month by month; where no times are known, of all at once
    under `ANY_TIME`. It is empty in a profile that an earlier version wrote.
    """

    rows: int
    population: Population
    bins: tuple[FrozenBins, ...]
    counts: Mapping[str, tuple[int, ...]]
    by_period: Mapping[str, Tally] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the profile as text."""
        record: dict[str, Any] = {"rows": self.rows, "population": self.population.value}
        record |= {"bins": [asdict(one) for one in self.bins], "counts": self.counts}
        record["by_period"] = {period: tally.record() for period, tally in self.by_period.items()}
        return json.dumps(record, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the profile that the text describes."""
        record = json.loads(text)
        bins = tuple(_bins_from(one) for one in record["bins"])
        counts = {column: tuple(column_counts) for column, column_counts in record["counts"].items()}
        by_period = {period: Tally.of(tally) for period, tally in record.get("by_period", {}).items()}
        return cls(record["rows"], Population(record["population"]), bins, counts, by_period)


def profile_of(
    points: NDArray[np.int64],
    probability: NDArray[np.float64],
    features: pd.DataFrame,
    numeric: Sequence[str],
    population: Population,
    times: NDArray[np.datetime64] | None = None,
) -> ReferenceProfile:
    """Return the profile of applications that the model was not fitted on: their points, PDs, features and times."""
    values: dict[str, NDArray[Any]] = {SCORE: points.astype(np.float64)}
    values |= {profile_column(str(column)): features[column].to_numpy() for column in features}
    numbers = {SCORE, *map(profile_column, numeric)}
    bins = tuple(
        FrozenBins.of_numbers(column, numbers_or_levels)
        if column in numbers
        else FrozenBins.of_levels(column, numbers_or_levels)
        for column, numbers_or_levels in values.items()
    )
    by_period = {}
    for period, rows in _by_month(times, len(points)).items():
        counted = {one.column: one.count(values[one.column][rows]) for one in bins}
        by_period[period] = Tally(len(rows), counted, scores=ScoreCounts.of(points[rows], probability[rows]))
    total = sum(by_period.values(), Tally())
    counts = {one.column: tuple(total.columns[one.column].tolist()) for one in bins}
    return ReferenceProfile(len(points), population, bins, counts, by_period)


def _by_month(times: NDArray[np.datetime64] | None, rows: int) -> dict[str, NDArray[np.intp]]:
    """Return the rows of each month in its order; of all months at once where a time is missing."""
    if times is None or np.isnat(times).any():
        return {ANY_TIME: np.arange(rows)}
    months = times.astype("datetime64[M]")
    return {str(month): np.flatnonzero(months == month) for month in np.unique(months)}


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


def _bins_from(record: Mapping[str, Any]) -> FrozenBins:
    edges = None if record["edges"] is None else tuple(record["edges"])
    texts = {"levels": tuple(record["levels"]), "rare": tuple(record["rare"])}
    return FrozenBins(record["column"], edges, record["lowest"], record["highest"], **texts)
