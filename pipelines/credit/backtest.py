"""Tests of observed outcomes against expected ones: of their ranking (AUC) and of their level (bad rate)."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from pipelines.credit.arrays import Floats, Outcomes
from pipelines.credit.discrimination import auc
from pipelines.credit.expected_auc import expected_auc
from pipelines.credit.importance import Recalibration
from pipelines.credit.label_free import deviation_from_calibration
from pipelines.credit.recalibration import log_odds_of


@dataclass(frozen=True)
class BacktestResult:
    """What was observed against what was expected, and the chance of as much if the probabilities are right.

    Of the ranking: both are AUCs, and the p-value is one-sided against ranking worse. Of the level: both are bad rates,
    and the p-value is two-sided.
    """

    observed: float
    expected: float
    p_value: float


@dataclass(frozen=True)
class LevelShift:
    """The shift of a vintage's log-odds from those of its PDs, and the variance of the shift."""

    shift: float
    variance: float


def backtest_ranking(bad: Outcomes, probability: Floats, recalibration: Recalibration | None) -> BacktestResult:
    """Return how the AUC of probabilities compares with the one that they expect once recalibrated; shape (n,)."""
    p = probability if recalibration is None else recalibration.apply(probability)
    expected, observed = expected_auc(p, probability), auc(bad, probability)
    uncertain = deviation_from_calibration(lambda one: expected_auc(one, probability).value, probability, recalibration)
    spread = float(np.hypot(expected.deviation, uncertain))
    return BacktestResult(observed, expected.value, NormalDist().cdf((observed - expected.value) / spread))


def level_shift(bad: Outcomes, probability: Floats, recalibration: Recalibration | None) -> LevelShift:
    """Return the shift of a vintage's log-odds, one scoring step from none: (O - E) / V, V = sum of p (1 - p).

    Its variance is 1 / V, and what the calibration is uncertain by.
    """
    p = probability if recalibration is None else recalibration.apply(probability)
    weight = p * (1 - p)
    total = float(weight.sum())
    variance = 1 / total
    if recalibration is not None:
        slopes = np.array([1.0, float(weight @ log_odds_of(probability)) / total])
        variance += float(slopes @ np.asarray(recalibration.covariance) @ slopes)
    return LevelShift(float(bad.sum() - p.sum()) / total, variance)


def variance_between(shifts: Sequence[LevelShift]) -> float:
    """Return the variance of the true shifts of vintages, beyond that of sampling (DerSimonian and Laird 1986).

    Levels move with the economy from month to month; a new vintage's move counts only where it is larger.

    >>> round(variance_between([LevelShift(-1.0, 0.5), LevelShift(1.0, 0.5)]), 6)  # Q = 4; (4 - 1) / (4 - 8 / 4)
    1.5
    """
    if len(shifts) < 2:
        return 0.0
    weight = np.array([1 / one.variance for one in shifts])
    shift = np.array([one.shift for one in shifts])
    spread = float(weight @ (shift - np.average(shift, weights=weight)) ** 2)
    return max(0.0, (spread - (len(shifts) - 1)) / float(weight.sum() - weight @ weight / weight.sum()))


def variance_from_expected(shifts: Sequence[LevelShift]) -> float:
    """Return the mean square of the true shifts of vintages, beyond that of sampling.

    Unlike `variance_between` it counts what all of them have in common: where the economy has left the years that an
    expectation was learnt from, the next vintage is no further away than those before it.

    >>> variance_from_expected([LevelShift(1.0, 0.5), LevelShift(1.0, 0.5)])  # Q = 4; (4 - 2) / 4
    0.5
    """
    if not shifts:
        return 0.0
    weight = np.array([1 / one.variance for one in shifts])
    shift = np.array([one.shift for one in shifts])
    return max(0.0, float((weight @ shift**2 - len(shifts)) / weight.sum()))


def backtest_level(
    bad: Outcomes, probability: Floats, recalibration: Recalibration | None, *, between: float
) -> BacktestResult:
    """Return how the bad rate compares with the expected one, given the variance of level between vintages."""
    p = probability if recalibration is None else recalibration.apply(probability)
    moved = level_shift(bad, probability, recalibration)
    z = moved.shift / float(np.sqrt(moved.variance + between))
    return BacktestResult(float(bad.mean()), float(p.mean()), 2 * NormalDist().cdf(-abs(z)))
