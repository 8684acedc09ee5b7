"""Wasserstein distance: the mean distance by which values move from the reference to the window, in their unit.

The area between the distribution functions of the values that are present (Vallender 1974, Calculation of the
Wasserstein distance between probability distributions on the line). Bins give bounds; they give none where values are
beyond the range of the reference, because their distance from it is not counted.
"""

import numpy as np

from monitoring.measures.measure import UNIT_OF_THE_COLUMN, Bounds, ColumnCounts, Measure, PointCounts, bounds
from pipelines.credit.distances import wasserstein, wasserstein_bounds


def of_column(counts: ColumnCounts) -> Bounds | None:
    """Return the bounds of the distance, None for categories, without values, and with values beyond the range."""
    bins = counts.bins
    if counts.present is None or bins.edges is None:
        return None
    reference, current = counts.present
    if reference[0] + reference[-1] + current[0] + current[-1]:
        return None
    ends = np.array([bins.lowest, *bins.edges, bins.highest])
    return bounds(wasserstein_bounds(ends, reference[1:-1], current[1:-1]))


def of_points(counts: PointCounts) -> float:
    """Return the exact distance of an integer score, in points."""
    return wasserstein(counts.points.astype(np.float64), counts.reference, counts.current)


def figure(value: float) -> str:
    """Return a distance with three digits, whole from a thousand on.

    >>> figure(0.01234), figure(12.34), figure(123456.7)
    ('0.0123', '12.3', '123,457')
    """
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


WASSERSTEIN = Measure("wasserstein", "Wasserstein", of_column, of_points, UNIT_OF_THE_COLUMN, figure)
