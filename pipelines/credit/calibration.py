"""Whether a probability of default means what it says."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Outcomes = NDArray[np.int8]


def brier(bad: Outcomes, probability: Floats) -> float:
    """Return the mean squared distance between probability and outcome; 0 is perfect (Brier 1950).

    >>> round(brier(np.array([1, 0], dtype=np.int8), np.array([0.8, 0.1])), 3)
    0.025
    """
    return float(np.mean((probability - bad) ** 2))


def expected_to_observed(bad: Outcomes, probability: Floats) -> float:
    """Return the expected number of bad applications over the observed one; 1 is calibrated in the large."""
    return float(probability.sum() / bad.sum())


@dataclass(frozen=True)
class CurvePoint:
    """One group of similar probabilities: their mean, the observed bad rate and its interval."""

    rows: int
    predicted: float
    observed: float
    low: float
    high: float


def calibration_curve(bad: Outcomes, probability: Floats, *, groups: int, confidence: float) -> list[CurvePoint]:
    """Return observed against predicted bad rates in `groups` groups of equal size, by ascending probability."""
    order = np.argsort(probability, kind="stable")
    return [_point(bad[rows], probability[rows], confidence) for rows in np.array_split(order, groups) if len(rows)]


def _point(bad: Outcomes, probability: Floats, confidence: float) -> CurvePoint:
    low, high = wilson_interval(int(bad.sum()), len(bad), confidence)
    return CurvePoint(len(bad), float(probability.mean()), float(bad.mean()), low, high)


def wilson_interval(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """Return the score interval of a rate (Wilson 1927).

    >>> [round(end, 4) for end in wilson_interval(15, 148, 0.95)]
    [0.0624, 0.1605]
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    rate = successes / trials
    middle = (rate + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z / (1 + z * z / trials) * np.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return float(middle - reach), float(middle + reach)
