"""Exact counts of decisions by points, with the sums of their PDs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

WIDEST = 100_000
"""The widest range of points that are counted one by one."""


def _no_counts() -> NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class ScoreCounts:
    """Rows and the sum of PDs at each number of points that occurs, ascending; all of shape (values,).

    They give the approvals and the mean PD at any cut-off.
    """

    points: NDArray[np.int64] = field(default_factory=_no_counts)
    rows: NDArray[np.int64] = field(default_factory=_no_counts)
    pd: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, points: NDArray[np.int64], pd: NDArray[np.float64]) -> Self:
        """Count decisions, given the points and the PD of each, shape (n,)."""
        if not len(points):
            return cls()
        lowest = int(points.min())
        rows = np.bincount(points - lowest)
        occurring = np.flatnonzero(rows)
        sums = np.bincount(points - lowest, weights=pd).astype(np.float64)
        return cls(occurring + lowest, rows[occurring], sums[occurring])

    def __add__(self, other: Self) -> "ScoreCounts":
        points, positions = np.unique(np.concatenate([self.points, other.points]), return_inverse=True)
        rows, pd = (
            np.bincount(positions, weights=np.concatenate(both), minlength=len(points))
            for both in ((self.rows, other.rows), (self.pd, other.pd))
        )
        return ScoreCounts(points, rows.astype(np.int64), pd.astype(np.float64))

    def __len__(self) -> int:
        return int(self.rows.sum())

    @property
    def mean_pd(self) -> float | None:
        """The mean PD; None without rows or without PDs (NaN)."""
        mean = float(self.pd.sum() / len(self)) if len(self) else np.nan
        return None if np.isnan(mean) else mean

    def reaching(self, cut_off: int) -> "ScoreCounts":
        """Return the counts from a number of points on."""
        kept = self.points >= cut_off
        return ScoreCounts(self.points[kept], self.rows[kept], self.pd[kept])

    def between(self, edges: Sequence[int]) -> NDArray[np.int64]:
        """Return the number of rows below the first edge, from each edge to the next, and from the last on."""
        positions = np.searchsorted(np.asarray(edges), self.points, side="right")
        return np.bincount(positions, weights=self.rows, minlength=len(edges) + 1).astype(np.int64)

    def record(self) -> dict[str, list[float]]:
        """Return the counts as JSON holds them: [rows, sum of PDs] by points."""
        counted = zip(self.points.tolist(), self.rows.tolist(), self.pd.tolist(), strict=True)
        return {str(points): [rows, pd] for points, rows, pd in counted}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the counts that JSON holds."""
        ordered = sorted((int(points), int(rows), float(pd)) for points, (rows, pd) in record.items())
        points, rows, pd = zip(*ordered, strict=True) if ordered else ((), (), ())
        return cls(np.array(points, dtype=np.int64), np.array(rows, dtype=np.int64), np.array(pd, dtype=np.float64))


def count_scores(points: NDArray[Any], pd: NDArray[Any] | None) -> ScoreCounts:
    """Return the exact counts of points, NaN left out; without PDs their sums are NaN."""
    present = ~np.isnan(points)
    whole = points[present].astype(np.int64)
    probability = np.full(len(whole), np.nan) if pd is None else pd[present].astype(np.float64)
    if len(whole) and int(whole.max()) - int(whole.min()) > WIDEST:
        return _by_sorting(whole, probability)
    return ScoreCounts.of(whole, probability)


def bounded(scores: ScoreCounts) -> ScoreCounts:
    """Return the counts, or none where they have more than WIDEST values."""
    return scores if len(scores.points) <= WIDEST else ScoreCounts()


def _by_sorting(points: NDArray[np.int64], pd: NDArray[np.float64]) -> ScoreCounts:
    """Count points whose range is too wide for a bin for each number."""
    values, positions = np.unique(points, return_inverse=True)
    sums = np.bincount(positions, weights=pd, minlength=len(values))
    return ScoreCounts(values, np.bincount(positions, minlength=len(values)), sums.astype(np.float64))
