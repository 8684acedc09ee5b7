"""The distribution of the reference on one side of zero, from its frozen bins: units keep zero and signs."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from monitoring.faults.column import Column
from monitoring.faults.observed import MISSING, Counts
from pipelines.profiles.frozen_bins import FrozenBins

Floats = NDArray[np.float64]

ROUNDED = 1 + 1e-6
"""Numbers that differ in their last digits only, or by rounding to float32, count as equal."""


@dataclass(frozen=True)
class Side:
    """`sizes` are absolute values, ascending, and `reached` the share of the side's rows up to each, shape (points,).

    `sign` is 1 or -1, `part` the share of present rows on that side.
    """

    sign: int
    part: float
    sizes: Floats
    reached: Floats

    @classmethod
    def of(cls, column: Column) -> Self | None:
        """Return the side of zero with more rows of the reference; None for a column without other numbers."""
        points, rows_up_to = _points(column.bins), _rows_up_to(column.reference)
        if points is None or not rows_up_to[-1]:
            return None
        at_most_zero = _rows_at(points, rows_up_to, 0.0, "right")
        below_zero = _rows_at(points, rows_up_to, 0.0, "left")
        present = rows_up_to[-1]
        if present - at_most_zero >= below_zero:
            return cls._side(1, present - at_most_zero, present, points, rows_up_to[:-1] - at_most_zero)
        return cls._side(-1, below_zero, present, -points[::-1], below_zero - rows_up_to[:-1][::-1])

    @classmethod
    def _side(cls, sign: int, rows: float, present: float, points: Floats, reached: Floats) -> Self | None:
        inside = (points > 0) & (reached > 0)
        if not inside.any() or not rows:
            return None
        return cls(sign, rows / present, points[inside], np.minimum(reached[inside] / rows, 1.0))

    @property
    def median(self) -> float:
        """The size at the bin that half of the side's rows reach."""
        return float(self.sizes[np.searchsorted(self.reached, 0.5)])

    def of_values(self, values: Floats) -> Floats:
        """Return the absolute values of those on this side, ascending."""
        return np.sort(self.sign * values[self.sign * values > 0])

    def gap(self, sizes: Floats, factor: float) -> float:
        """Return the largest difference of the cumulative shares of values, divided by a factor, to the reference's."""
        reached = np.searchsorted(sizes, self.sizes * factor * ROUNDED, side="right") / len(sizes)
        return float(np.abs(reached - self.reached).max())


def cumulative_gap(counts: Counts, reference: Counts) -> float:
    """Return the largest difference between the cumulative shares of present rows of two counts."""
    ours, theirs = (
        np.cumsum(one[MISSING + 1 :]) / max(int(one[MISSING + 1 :].sum()), 1) for one in (counts, reference)
    )
    return float(np.abs(ours - theirs).max())


def outside(counts: Counts) -> float:
    """Return the share of present rows below or above the range of the reference."""
    present = counts[MISSING + 1 :]
    return float((present[0] + present[-1]) / max(int(present.sum()), 1))


def _points(bins: FrozenBins) -> Floats | None:
    """Return the values between the bins: the reference's lowest, each edge, the highest."""
    if not bins.edges:
        return None if bins.edges is None else np.array([bins.lowest, bins.highest])
    return np.array([bins.lowest, *bins.edges, bins.highest])


def _rows_up_to(counts: Counts) -> Floats:
    """Return the rows below the lowest, up to each edge, up to the highest, and of all present."""
    return np.cumsum(counts[MISSING + 1 :]).astype(np.float64)


def _rows_at(points: Floats, rows_up_to: Floats, value: float, side: Literal["left", "right"]) -> float:
    """Return the rows up to a value (`right`) or below it (`left`), at the nearest point that is not above it."""
    index = int(np.searchsorted(points, value, side=side)) - 1
    return float(rows_up_to[index]) if index >= 0 else 0.0
