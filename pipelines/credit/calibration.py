"""Measures of calibration: how well probabilities of default agree with observed bad rates."""

from dataclasses import dataclass

import numpy as np

from pipelines.credit.arrays import Floats, Outcomes
from pipelines.credit.rates import wilson_interval
from pipelines.credit.tally import Tally, tally


def brier(bad: Outcomes, probability: Floats) -> float:
    """Return the mean squared distance between probability and outcome; 0 is perfect (Brier 1950).

    >>> round(brier(np.array([1, 0], dtype=np.int8), np.array([0.8, 0.1])), 3)
    0.025
    """
    return brier_of(tally(bad, probability))


def brier_of(counts: Tally) -> float:
    """Return the Brier score of a tally of outcomes by probability."""
    return float((counts.bad @ (1 - counts.score) ** 2 + counts.good @ counts.score**2) / counts.rows.sum())


def log_loss_of(counts: Tally) -> float:
    """Return the mean negative log-likelihood of the outcomes, in nats; 0 is perfect (Good 1952).

    Probabilities are held away from 0 and 1 by the float's own precision, 2.2e-16: one certainty that was wrong costs
    36 nats and not all that there is.

    >>> round(log_loss_of(tally(np.array([1, 0], dtype=np.int8), np.array([0.8, 0.1]))), 6)
    0.164252
    """
    edge = np.finfo(np.float64).eps
    p = np.clip(counts.score, edge, 1 - edge)
    return float(-(counts.bad @ np.log(p) + counts.good @ np.log1p(-p)) / counts.rows.sum())


def expected_to_observed_of(counts: Tally) -> float:
    """Return the expected number of bad applications over the observed one; 1 is calibrated in the large."""
    return float(counts.rows @ counts.score / counts.bad.sum())


def expected_calibration_error_of(counts: Tally, *, groups: int = 10) -> float:
    """Return the mean distance between predicted and observed bad rates over groups of equal size, by their rows.

    The groups are those of `calibration_curve`: equal numbers of applications, not equal widths, which would put most
    applications of a low-risk book into one group. A calibrated model has an error above 0 too, by chance alone
    (Naeini, Cooper and Hauskrecht 2015; Nixon et al. 2019 for groups of equal size).

    >>> counts = tally(np.array([0, 1, 1, 1], dtype=np.int8), np.array([0.5, 0.5, 0.75, 0.75]))
    >>> expected_calibration_error_of(counts, groups=2)
    0.125
    """
    rows, predicted, observed = _equal_groups(counts, groups)
    return float(np.abs(predicted - observed).sum() / rows.sum())


@dataclass(frozen=True)
class CurvePoint:
    """One group of similar probabilities: their mean, the observed bad rate and its interval."""

    rows: int
    predicted: float
    observed: float
    low: float
    high: float


def calibration_curve(bad: Outcomes, probability: Floats, *, groups: int, confidence: float) -> list[CurvePoint]:
    """Return observed against predicted bad rates in `groups` groups of equal size, by ascending probability.

    Applications with one probability that fall into two groups are shared out with the same bad rate, so that the order
    of the rows does not matter.
    """
    rows, predicted, observed = _equal_groups(tally(bad, probability), groups)
    return [
        CurvePoint(int(n), float(p / n), float(o / n), *wilson_interval(o, int(n), confidence))
        for n, p, o in zip(rows, predicted, observed, strict=True)
        if n
    ]


def _equal_groups(counts: Tally, groups: int) -> tuple[Floats, Floats, Floats]:
    """Return the rows of each group, the sums of their probabilities and their numbers of bad."""
    total = int(counts.rows.sum())
    sizes = np.full(groups, total // groups) + (np.arange(groups) < total % groups)
    ends = np.concatenate([[0], sizes.cumsum()])
    reached = np.concatenate([[0.0], counts.rows.cumsum()])
    sums = (np.concatenate([[0.0], one.cumsum()]) for one in (counts.rows * counts.score, counts.bad))
    predicted, observed = (np.diff(np.interp(ends, reached, one)) for one in sums)
    return sizes.astype(np.float64), predicted, observed
