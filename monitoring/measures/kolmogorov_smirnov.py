"""Kolmogorov-Smirnov distance: the largest gap between two distribution functions.

Of the values that are present in a numeric column: bins give bounds, the points of a score the exact distance. Smirnov
(1939), On the estimation of the discrepancy between empirical curves of distribution for two independent samples.
"""

from monitoring.measures.measure import Bounds, ColumnCounts, Measure, PointCounts, bounds
from pipelines.credit.distances import kolmogorov_smirnov, kolmogorov_smirnov_bounds


def of_column(counts: ColumnCounts) -> Bounds | None:
    """Return the bounds of the distance, None for categories and without values."""
    return None if counts.present is None else bounds(kolmogorov_smirnov_bounds(*counts.present))


def of_points(counts: PointCounts) -> float:
    """Return the exact distance of an integer score."""
    return kolmogorov_smirnov(counts.reference, counts.current)


KOLMOGOROV_SMIRNOV = Measure("kolmogorov_smirnov", "Kolmogorov-Smirnov", of_column, of_points)
