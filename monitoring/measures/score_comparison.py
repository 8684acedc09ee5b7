"""The whole score against the reference's, point by point: distances without bins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.distances import jensen_shannon, kolmogorov_smirnov, wasserstein
from pipelines.profiles.score_counts import ScoreCounts


@dataclass(frozen=True)
class ScoreComparison:
    """The score point by point: how many rows of the reference and of the window got each number of `points`.

    The distances are exact, for points are whole: Kolmogorov-Smirnov, Wasserstein in points, Jensen-Shannon.
    """

    points: tuple[int, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]
    kolmogorov_smirnov: float
    wasserstein: float
    jensen_shannon: float


def compare_scores(reference: ScoreCounts, current: ScoreCounts) -> ScoreComparison | None:
    """Return how two scores lie to each other, None where one of them was not counted."""
    if not len(reference) or not len(current):
        return None
    points = np.union1d(reference.points, current.points)
    before, now = (_at(one, points) for one in (reference, current))
    return ScoreComparison(
        points=tuple(points.tolist()),
        reference=tuple(before.tolist()),
        current=tuple(now.tolist()),
        kolmogorov_smirnov=kolmogorov_smirnov(before, now),
        wasserstein=wasserstein(points.astype(np.float64), before, now),
        jensen_shannon=jensen_shannon(before, now),
    )


def _at(counts: ScoreCounts, points: NDArray[np.int64]) -> NDArray[np.int64]:
    found = np.zeros(len(points), dtype=np.int64)
    found[np.searchsorted(points, counts.points)] = counts.rows
    return found
