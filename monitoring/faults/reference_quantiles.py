"""The reference's distribution on one side of zero, as its frozen bins tell it: a unit leaves zero and signs alone."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from monitoring.faults.column import MISSING, Column, Counts
from pipelines.profiles.reference_profile import FrozenBins

Floats = NDArray[np.float64]

ROUNDED = 1 + 1e-6
"""Numbers that are equal but for their last digits, or for having been float32, count as equal."""


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
        """Return the side that more of the reference's rows lie on; None of a column without numbers but zero."""
        points, upto = _points(column.bins), _upto(column.reference)
        if points is None or not upto[-1]:
            return None
        at_most_zero = _at(points, upto, 0.0, "right")
        below_zero = _at(points, upto, 0.0, "left")
        present = upto[-1]
        if present - at_most_zero >= below_zero:
            return cls._side(1, present - at_most_zero, present, points, upto[:-1] - at_most_zero)
        return cls._side(-1, below_zero, present, -points[::-1], below_zero - upto[:-1][::-1])

    @classmethod
    def _side(cls, sign: int, rows: float, present: float, points: Floats, reached: Floats) -> Self | None:
        kept = (points > 0) & (reached > 0)
        if not kept.any() or not rows:
            return None
        return cls(sign, rows / present, points[kept], np.minimum(reached[kept] / rows, 1.0))

    @property
    def median(self) -> float:
        """The size that half of the side's rows reach, of those that the bins know."""
        return float(self.sizes[np.searchsorted(self.reached, 0.5)])

    def of_values(self, values: Floats) -> Floats:
        """Return the absolute values of those on this side, ascending."""
        return np.sort(self.sign * values[self.sign * values > 0])

    def gap(self, sizes: Floats, factor: float) -> float:
        """Return how far shares reached by values, multiplied by 1 / factor, differ at most from the reference's."""
        found = np.searchsorted(sizes, self.sizes * factor * ROUNDED, side="right") / len(sizes)
        return float(np.abs(found - self.reached).max())


def cumulative_gap(counts: Counts, reference: Counts) -> float:
    """Return how far the shares of present rows up to an edge differ at most between two counts."""
    ours, theirs = (
        np.cumsum(one[MISSING + 1 :]) / max(int(one[MISSING + 1 :].sum()), 1) for one in (counts, reference)
    )
    return float(np.abs(ours - theirs).max())


def outside(counts: Counts) -> float:
    """Return the share of present rows below or above all that the reference held."""
    present = counts[MISSING + 1 :]
    return float((present[0] + present[-1]) / max(int(present.sum()), 1))


def _points(bins: FrozenBins) -> Floats | None:
    """Return the values at which counts are cut: below the reference's lowest, each edge, the highest."""
    if not bins.edges:
        return None if bins.edges is None else np.array([bins.lowest, bins.highest])
    return np.array([bins.lowest, *bins.edges, bins.highest])


def _upto(counts: Counts) -> Floats:
    """Return the rows below the lowest, up to each edge, up to the highest, and of all present."""
    return np.cumsum(counts[MISSING + 1 :]).astype(np.float64)


def _at(points: Floats, upto: Floats, value: float, side: str) -> float:
    """Return the rows up to a value (`right`) or below it (`left`), of the nearest cut that is not above it."""
    place = int(np.searchsorted(points, value, side="right" if side == "right" else "left")) - 1
    return float(upto[place]) if place >= 0 else 0.0
