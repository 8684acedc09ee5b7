"""The whole score of a window against that of the reference, point by point, without bins."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.measures.measure import PointCounts, measures
from pipelines.profiles.score_counts import ScoreCounts


@dataclass(frozen=True)
class ScoreComparison:
    """How many rows of the reference and of the window have each number of `points`, and each measure by name.

    The measures are exact, because points are integers.
    """

    points: tuple[int, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]
    measures: Mapping[str, float]


def compare_scores(reference: ScoreCounts, current: ScoreCounts) -> ScoreComparison | None:
    """Return the comparison of two scores, None where one of them was not counted."""
    if not len(reference) or not len(current):
        return None
    points = np.union1d(reference.points, current.points)
    counts = PointCounts(points, *(_rows_at(one, points) for one in (reference, current)))
    return ScoreComparison(
        points=tuple(points.tolist()),
        reference=tuple(counts.reference.tolist()),
        current=tuple(counts.current.tolist()),
        measures={one.name: one.of_points(counts) for one in measures() if one.of_points is not None},
    )


def _rows_at(counts: ScoreCounts, points: NDArray[np.int64]) -> NDArray[np.int64]:
    rows = np.zeros(len(points), dtype=np.int64)
    rows[np.searchsorted(points, counts.points)] = counts.rows
    return rows
