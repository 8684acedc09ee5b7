"""The points scale: one fixed map from the probability of default to points, bands and a decision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class PointsScale:
    """A linear scale of points in the log-odds of good."""

    base_points: int = 600
    """Points at the base odds."""
    base_odds: float = 15.0
    """Odds, good to bad, at the base points."""
    points_to_double_the_odds: int = 50
    """Points that double the odds."""
    lowest: int = 350
    """Lowest points."""
    highest: int = 950
    """Highest points."""

    @property
    def factor(self) -> float:
        """Points per unit of log-odds."""
        return self.points_to_double_the_odds / float(np.log(2))

    @property
    def offset(self) -> float:
        """Points at even odds."""
        return self.base_points - self.factor * float(np.log(self.base_odds))


def points(probability_of_default: NDArray[np.float64], scale: PointsScale) -> NDArray[np.int64]:
    """Return points for probabilities of default, shape (n,); higher is better.

    points = offset + factor ln((1 - p) / p), Siddiqi, Credit Risk Scorecards (2006), chapter 6.

    >>> points(np.array([1 / 16, 1 / 31, 1.0]), PointsScale()).tolist()
    [600, 650, 350]
    """
    p = np.clip(probability_of_default, 1e-12, 1 - 1e-12)
    exact = scale.offset + scale.factor * np.log((1 - p) / p)
    return np.clip(np.rint(exact), scale.lowest, scale.highest).astype(np.int64)


def band_labels(lower_ends: Sequence[int], scale: PointsScale) -> list[str]:
    """Return the names of the bands from lowest to highest.

    >>> band_labels([550, 600], PointsScale())
    ['350-549', '550-599', '600-950']
    """
    starts = [scale.lowest, *lower_ends]
    ends = [start - 1 for start in lower_ends] + [scale.highest]
    return [f"{start}-{end}" for start, end in zip(starts, ends, strict=True)]
