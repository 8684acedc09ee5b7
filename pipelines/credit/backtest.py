"""The level (bad rate) and the ranking (AUC) of a vintage's outcomes against the PDs, from counts of loans by PD."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from pipelines.credit.arrays import Floats
from pipelines.credit.discrimination import auc_of
from pipelines.credit.expected_auc import expected_auc
from pipelines.credit.importance import Recalibration
from pipelines.credit.recalibration import log_odds_of
from pipelines.credit.tally import Tally

STEPS = 30
CLOSE = 1e-8
LARGEST_STEP = 2.0


@dataclass(frozen=True)
class BacktestResult:
    """What was observed against what was expected, and how unlikely that is if nothing has changed.

    Of the ranking: both are AUCs, and the p-value is one-sided against ranking worse. Of the level: both are bad rates,
    and the p-value is two-sided. `e_value` is the evidence of a jump in the latest vintages together
    (`local_level.follow`), 0 where a vintage is judged alone.
    """

    observed: float
    expected: float
    p_value: float
    e_value: float = 0.0


@dataclass(frozen=True)
class LevelShift:
    """The shift of a vintage's log-odds from those of its PDs, and the variance of the shift."""

    shift: float
    variance: float


def level_of(counts: Tally, recalibration: Recalibration | None) -> tuple[float, float]:
    """Return the shift of the log-odds of a vintage from its recalibrated PDs that fits its outcomes, and its variance.

    The maximum of Firth's (1993) penalised likelihood, which is finite without a bad or a good loan: with
    V = sum of p (1 - p), the root of O - E + sum of p (1 - p) (1 - 2 p) / (2 V). Its variance is 1 / V.
    """
    log_odds, rows, bad = log_odds_of(_recalibrated(counts, recalibration)), counts.rows, float(counts.bad.sum())
    shift, variance = 0.0, 1.0
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-(log_odds + shift)))
        weight = rows * p * (1 - p)
        variance = 1 / float(weight.sum())
        step = variance * (bad - float(rows @ p)) + variance**2 / 2 * float(weight @ (1 - 2 * p))
        step = min(max(step, -LARGEST_STEP), LARGEST_STEP)
        shift += step
        if abs(step) < CLOSE:
            break
    return shift, variance


def rate_at(counts: Tally, recalibration: Recalibration | None, level: float) -> float:
    """Return the bad rate to expect of recalibrated PDs whose log-odds are shifted by a level."""
    return float(np.average(_shifted(counts, recalibration, level), weights=counts.rows))


def ranking_of(counts: Tally, recalibration: Recalibration | None, level: float) -> tuple[BacktestResult, float]:
    """Return the AUC of a vintage, the one that recalibrated and shifted PDs expect, and its standard deviation.

    The deviation is that of the AUC if the probabilities are right; the p-value is left open (NaN).
    """
    expected = expected_auc(_shifted(counts, recalibration, level), counts.score, counts.rows)
    return BacktestResult(auc_of(counts), expected.value, float("nan")), expected.deviation


def _recalibrated(counts: Tally, recalibration: Recalibration | None) -> Floats:
    return counts.score if recalibration is None else recalibration.apply(counts.score)


def _shifted(counts: Tally, recalibration: Recalibration | None, level: float) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(log_odds_of(_recalibrated(counts, recalibration)) + level))))


def level_shift(counts: Tally) -> LevelShift:
    """Return the shift of a vintage's log-odds, one scoring step from none: (O - E) / V, V = sum of p (1 - p)."""
    variance = 1 / float(counts.rows @ (counts.score * (1 - counts.score)))
    return LevelShift(float(counts.bad.sum() - counts.rows @ counts.score) * variance, variance)


def variance_between(shifts: Sequence[LevelShift]) -> float:
    """Return the variance of the true shifts of vintages, beyond that of sampling (DerSimonian and Laird 1986).

    >>> round(variance_between([LevelShift(-1.0, 0.5), LevelShift(1.0, 0.5)]), 6)  # Q = 4; (4 - 1) / (4 - 8 / 4)
    1.5
    """
    if len(shifts) < 2:
        return 0.0
    weight = np.array([1 / one.variance for one in shifts])
    shift = np.array([one.shift for one in shifts])
    spread = float(weight @ (shift - np.average(shift, weights=weight)) ** 2)
    return max(0.0, (spread - (len(shifts) - 1)) / float(weight.sum() - weight @ weight / weight.sum()))


def backtest_level(counts: Tally, *, between: float) -> BacktestResult:
    """Return how the bad rate compares with the PDs, given the variance of level between vintages."""
    moved = level_shift(counts)
    z = moved.shift / float(np.sqrt(moved.variance + between))
    rows = float(counts.rows.sum())
    expected = float(counts.rows @ counts.score) / rows
    return BacktestResult(float(counts.bad.sum()) / rows, expected, 2 * NormalDist().cdf(-abs(z)))
