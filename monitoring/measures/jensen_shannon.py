"""Jensen-Shannon distance: 0 for equal shares, 1 for shares without a common bin.

Over all bins, missing values included. Lin (1991), Divergence measures based on the Shannon entropy; Endres and
Schindelin (2003) for its square root, a metric.
"""

from monitoring.measures.measure import ColumnCounts, Measure, PointCounts
from pipelines.credit.distances import jensen_shannon


def distance(counts: ColumnCounts | PointCounts) -> float:
    """Return the distance of the two sides."""
    return jensen_shannon(counts.reference, counts.current)


JENSEN_SHANNON = Measure("jensen_shannon", "Jensen-Shannon", distance, distance)
