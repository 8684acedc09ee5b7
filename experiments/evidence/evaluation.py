"""What a model is worth on applications it has never seen: measures with intervals."""

from collections.abc import Callable, Mapping
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
"""Of a resample; neighbouring scores of more applications are drawn together."""
CONFIDENCE = 0.95
CURVE_GROUPS = 10

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
"""The measures that a sample overstates, and what leaves of them nothing but chance."""


@dataclass(frozen=True)
class Estimate:
    """A measure and its 95% bootstrap interval, which holds the value."""

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
    """Measures on one group of the applications; None where it has not `enough` of them, or one outcome only."""

    level: str
    rows: int
    bad: int
    enough: bool
    measures: dict[str, Estimate] | None


def evaluate(bad: NDArray[np.int8], probability: NDArray[np.float64], *, seed: int) -> Evaluation:
    """Return the measures of probabilities of bad against outcomes, both of shape (n,).

    Intervals are percentiles over bootstrap resamples of the applications; those of measures that a sample overstates
    allow for it (see `interval_of_upward_biased`), and those of the curve are Wilson's.
    """
    measures = _estimates(tally(bad, probability), seed=seed, resamples=RESAMPLES)
    curve = calibration_curve(bad, probability, groups=CURVE_GROUPS, confidence=CONFIDENCE)
    return Evaluation(len(bad), int(bad.sum()), measures, curve)


def evaluate_groups(
    bad: NDArray[np.int8], probability: NDArray[np.float64], labels: NDArray[np.str_], *, minimum: int, seed: int
) -> list[GroupEvaluation]:
    """Return the measures of each group of applications that share a label, by label; all of shape (n,).

    Groups of fewer than `minimum` rows, or with one outcome only, are counted and not measured.
    """
    return [
        _evaluate_group(str(level), bad[labels == level], probability[labels == level], minimum, seed)
        for level in np.unique(labels)
    ]


def evaluate_segments(
    bad: NDArray[np.int8],
    probability: NDArray[np.float64],
    protected: Mapping[str, NDArray[np.str_]],
    *,
    minimum: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return the measures by level of each protected attribute as JSON values."""
    return [
        {"attribute": attribute, **asdict(group)}
        for attribute, labels in protected.items()
        for group in evaluate_groups(bad, probability, labels, minimum=minimum, seed=seed)
    ]


def evaluate_vintages(
    bad: NDArray[np.int8],
    probability: NDArray[np.float64],
    times: NDArray[np.datetime64],
    *,
    minimum: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return the measures by month of application as JSON values, in time order."""
    groups = evaluate_groups(bad, probability, times.astype("datetime64[M]").astype(str), minimum=minimum, seed=seed)
    return [{"vintage": group.level} | {k: v for k, v in asdict(group).items() if k != "level"} for group in groups]


def _evaluate_group(
    level: str, bad: NDArray[np.int8], probability: NDArray[np.float64], minimum: int, seed: int
) -> GroupEvaluation:
    rows, bads = len(bad), int(bad.sum())
    enough = rows >= minimum and 0 < bads < rows
    measures = _estimates(tally(bad, probability), seed=seed, resamples=RESAMPLES_OF_A_GROUP) if enough else None
    return GroupEvaluation(level, rows, bads, enough, measures)


def _estimates(counts: Tally, *, seed: int, resamples: int) -> dict[str, Estimate]:
    drawn, generator = counts.merged(MOST_SCORES), np.random.default_rng(seed)
    samples = (redraw(drawn, generator) for _ in range(resamples))
    draws = np.array([[measure(sample) for measure in MEASURES.values()] for sample in samples]).T
    return {
        name: _estimate(name, measure(counts), draws[place], drawn, generator)
        for place, (name, measure) in enumerate(MEASURES.items())
    }


def _estimate(
    name: str, value: float, draws: NDArray[np.float64], drawn: Tally, generator: np.random.Generator
) -> Estimate:
    measure = MEASURES[name]
    lost = value - measure(drawn)  # to the merging of scores: its draws have lost as much
    if name not in BY_CHANCE:
        return Estimate(value, *percentile_interval(value, draws + lost, CONFIDENCE))
    chance = np.array([measure(BY_CHANCE[name](drawn, generator)) for _ in range(RESAMPLES_BY_CHANCE)])
    return Estimate(value, *interval_of_upward_biased(value, draws + lost, chance + lost, CONFIDENCE))
