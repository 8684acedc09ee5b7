"""Measures of a model on a test part, with bootstrap intervals, also by group and by vintage."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.calibration import (
    CurvePoint,
    brier_of,
    calibration_curve,
    expected_calibration_error_of,
    expected_to_observed_of,
    log_loss_of,
)
from pipelines.credit.discrimination import auc_of, kolmogorov_smirnov_of
from pipelines.credit.h_measure import h_measure_of
from pipelines.credit.recalibration import calibration_intercept_of, calibration_slope_of
from pipelines.credit.resampling import (
    Measure,
    interval_of_upward_biased,
    percentile_interval,
    redraw,
    redraw_as_predicted,
    redraw_without_separation,
)
from pipelines.credit.tally import Tally, tally

RESAMPLES = 500
RESAMPLES_OF_A_GROUP = 200
RESAMPLES_BY_CHANCE = 100
MOST_SCORES = 5_000
"""Most distinct scores in a resample; beyond it neighbouring scores are merged."""
CONFIDENCE = 0.95
CURVE_GROUPS = 10
MOST_SEPARATION_ROWS = 120

MEASURES: dict[str, Measure] = {
    "auc": auc_of,
    "gini": lambda counts: 2 * auc_of(counts) - 1,
    "ks": kolmogorov_smirnov_of,
    "h_measure": h_measure_of,
    "brier": brier_of,
    "log_loss": log_loss_of,
    "expected_calibration_error": expected_calibration_error_of,
    "calibration_slope": calibration_slope_of,
    "calibration_intercept": calibration_intercept_of,
    "expected_to_observed": expected_to_observed_of,
}

BY_CHANCE: dict[str, Callable[[Tally, np.random.Generator], Tally]] = {
    "ks": redraw_without_separation,
    "h_measure": redraw_without_separation,
    "expected_calibration_error": redraw_as_predicted,
}
"""Measures that a finite sample overstates, and the resampling that leaves only chance of them."""


@dataclass(frozen=True)
class Estimate:
    """A measure and its 95% bootstrap interval, which contains the value."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """Measures on `rows` applications of which `bad` were bad, and the calibration curve."""

    rows: int
    bad: int
    measures: dict[str, Estimate]
    curve: list[CurvePoint]

    def record(self) -> dict[str, Any]:
        """Return the evaluation as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class GroupEvaluation:
    """Measures on one group of applications; None for a group that is too small or has one outcome only."""

    rows: int
    bad: int
    enough: bool
    measures: dict[str, Estimate] | None


def evaluate(bad: NDArray[np.int8], probability: NDArray[np.float64], *, seed: int) -> Evaluation:
    """Return the measures of probabilities of bad against outcomes, both of shape (n,).

    Intervals are percentiles over bootstrap resamples of the applications, corrected for measures that a sample
    overstates (see `interval_of_upward_biased`); those of the curve are Wilson's.
    """
    measures = _estimates(tally(bad, probability), seed=seed, resamples=RESAMPLES)
    curve = calibration_curve(bad, probability, groups=CURVE_GROUPS, confidence=CONFIDENCE)
    return Evaluation(len(bad), int(bad.sum()), measures, curve)


def evaluate_groups(
    bad: NDArray[np.int8], probability: NDArray[np.float64], labels: NDArray[np.str_], *, minimum: int, seed: int
) -> dict[str, GroupEvaluation]:
    """Return the measures of each group of applications that share a label, by label; all of shape (n,).

    Groups of fewer than `minimum` rows, or with one outcome only, are counted without measures.
    """
    return {
        str(level): _evaluate_group(bad[labels == level], probability[labels == level], minimum, seed)
        for level in np.unique(labels)
    }


def separation(bad: NDArray[np.int8], whole_points: NDArray[np.int64]) -> list[dict[str, float]]:
    """Return the cumulative shares of good and bad applications by points: the ROC curve, whose largest distance is KS.

    Outcomes and points have shape (n,). More than 120 distinct points are thinned, except those at the KS distance.

    >>> separation(np.array([1, 1, 0], np.int8), np.array([500, 600, 600]))
    [{'points': 500, 'good': 0.0, 'bad': 0.5}, {'points': 600, 'good': 1.0, 'bad': 1.0}]
    """
    values, codes = np.unique(whole_points, return_inverse=True)
    bads = np.bincount(codes, weights=bad == 1)
    goods = np.bincount(codes, weights=bad == 0)
    shares = np.cumsum(goods) / goods.sum(), np.cumsum(bads) / bads.sum()
    widest = int(np.argmax(np.abs(shares[0] - shares[1])))
    thinned = np.linspace(0, len(values) - 1, min(len(values), MOST_SEPARATION_ROWS)).round().astype(int)
    kept = np.union1d(thinned, [widest])
    rows = zip(values[kept].tolist(), shares[0][kept].tolist(), shares[1][kept].tolist(), strict=True)
    return [{"points": at, "good": good, "bad": bad_share} for at, good, bad_share in rows]


def _evaluate_group(
    bad: NDArray[np.int8], probability: NDArray[np.float64], minimum: int, seed: int
) -> GroupEvaluation:
    rows, bads = len(bad), int(bad.sum())
    enough = rows >= minimum and 0 < bads < rows
    measures = _estimates(tally(bad, probability), seed=seed, resamples=RESAMPLES_OF_A_GROUP) if enough else None
    return GroupEvaluation(rows, bads, enough, measures)


def _estimates(counts: Tally, *, seed: int, resamples: int) -> dict[str, Estimate]:
    drawn, generator = counts.merged(MOST_SCORES), np.random.default_rng(seed)
    samples = (redraw(drawn, generator) for _ in range(resamples))
    draws = np.array([[measure(sample) for measure in MEASURES.values()] for sample in samples]).T
    return {
        name: _estimate(name, measure(counts), draws[index], drawn, generator)
        for index, (name, measure) in enumerate(MEASURES.items())
    }


def _estimate(
    name: str, value: float, draws: NDArray[np.float64], drawn: Tally, generator: np.random.Generator
) -> Estimate:
    measure = MEASURES[name]
    lost = value - measure(drawn)  # by merging scores; the draws lose as much
    if name not in BY_CHANCE:
        return Estimate(value, *percentile_interval(value, draws + lost, CONFIDENCE))
    chance = np.array([measure(BY_CHANCE[name](drawn, generator)) for _ in range(RESAMPLES_BY_CHANCE)])
    return Estimate(value, *interval_of_upward_biased(value, draws + lost, chance + lost, CONFIDENCE))
