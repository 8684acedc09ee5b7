"""What a drift measure is, and the values of all registered measures for a column and for the score."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.command.registry import registered
from pipelines.credit.distances import Between
from pipelines.profiles.frozen_bins import FrozenBins

Counts = NDArray[np.int64]
Bounds = tuple[float, float]
Value = float | Bounds
"""A figure, or the least and the most that it can be where bins do not determine it."""

UNIT_OF_THE_COLUMN = "unit of the column"


@dataclass(frozen=True)
class ColumnCounts:
    """Rows of the reference and of the window in the frozen bins of a column, shape (bins,), as `FrozenBins.count`.

    Neither side is empty. The first bin counts missing values.
    """

    bins: FrozenBins
    reference: Counts
    current: Counts

    @property
    def present(self) -> tuple[Counts, Counts] | None:
        """Both sides without missing values, ascending; None for categories and where a side has no values."""
        reference, current = self.reference[1:], self.current[1:]
        is_numeric = self.bins.edges is not None
        return (reference, current) if is_numeric and reference.sum() and current.sum() else None


@dataclass(frozen=True)
class PointCounts:
    """Rows of the reference and of the window at each value of an integer score: `points` ascend, shape (points,)."""

    points: NDArray[np.int64]
    reference: Counts
    current: Counts


def three_decimals(value: float) -> str:
    """Return a figure with three decimals."""
    return f"{value:.3f}"


@dataclass(frozen=True)
class Measure:
    """How far two samples are apart. A module constant of this type in `monitoring.measures` is shown in reports.

    Args:
        name: the key in report.json.
        title: the heading on the report page.
        of_column: its value from counts in the frozen bins of a column, None where the column has none.
        of_points: its value from exact counts of the score; a measure without it is not given for the score.
        unit: empty for a figure without one; `UNIT_OF_THE_COLUMN` is points for the score.
        format: how a figure is written on the page.
    """

    name: str
    title: str
    of_column: Callable[[ColumnCounts], Value | None]
    of_points: Callable[[PointCounts], float] | None = None
    unit: str = ""
    format: Callable[[float], str] = three_decimals

    def text(self, value: Value | None) -> str:
        """Return a value as the page shows it: bounds as a range, and a dash where there is none.

        >>> measure = Measure("gap", "Gap", lambda counts: None)
        >>> measure.text(0.25), measure.text((0.1, 0.2)), measure.text((0.1, 0.1)), measure.text(None)
        ('0.250', '0.100 to 0.200', '0.100', '–')
        """
        if value is None:
            return "–"
        ends = dict.fromkeys(self.format(one) for one in (value if isinstance(value, tuple) else (value,)))
        return " to ".join(ends)


def measures() -> list[Measure]:
    """Return the registered measures in alphabetical order of their modules."""
    return list(registered("monitoring.measures", Measure))


def measure_column(bins: FrozenBins, reference: Counts, current: Counts) -> Mapping[str, Value | None] | None:
    """Return each measure of a column by name, None where one side is empty."""
    if not reference.sum() or not current.sum():
        return None
    counts = ColumnCounts(bins, reference, current)
    return {one.name: one.of_column(counts) for one in measures()}


def bounds(between: Between) -> Bounds:
    """Return the least and the most of a distance that bins do not determine."""
    return between.least, between.most
