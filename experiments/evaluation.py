"""What a model is worth on applications it has never seen: measures with intervals."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.calibration import CurvePoint, brier, calibration_curve, expected_to_observed
from pipelines.credit.discrimination import auc, gini, kolmogorov_smirnov

RESAMPLES = 500
CONFIDENCE = 0.95
CURVE_GROUPS = 10

Measure = Callable[[NDArray[np.int8], NDArray[np.float64]], float]

MEASURES: dict[str, Measure] = {
    "auc": auc,
    "gini": gini,
    "ks": kolmogorov_smirnov,
    "brier": brier,
    "expected_to_observed": expected_to_observed,
}


@dataclass(frozen=True)
class Estimate:
    """A measure and its 95% bootstrap interval."""

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


def evaluate(bad: NDArray[np.int8], probability: NDArray[np.float64], *, seed: int) -> Evaluation:
    """Return the measures of probabilities of bad against outcomes, both of shape (n,).

    Intervals are bias-corrected percentiles over bootstrap resamples of the applications; those of the curve are
    Wilson's.
    """
    draws = _resample(bad, seed)
    measures = {name: _estimate(measure, bad, probability, draws) for name, measure in MEASURES.items()}
    curve = calibration_curve(bad, probability, groups=CURVE_GROUPS, confidence=CONFIDENCE)
    return Evaluation(len(bad), int(bad.sum()), measures, curve)


def _resample(bad: NDArray[np.int8], seed: int) -> list[NDArray[np.intp]]:
    """Draw applications with replacement; a draw without both outcomes cannot be measured and is redrawn."""
    generator = np.random.default_rng(seed)
    draws: list[NDArray[np.intp]] = []
    while len(draws) < RESAMPLES:
        rows = generator.integers(0, len(bad), len(bad))
        if 0 < bad[rows].sum() < len(bad):
            draws.append(rows)
    return draws


def _estimate(
    measure: Measure, bad: NDArray[np.int8], probability: NDArray[np.float64], draws: list[NDArray[np.intp]]
) -> Estimate:
    value = measure(bad, probability)
    return Estimate(value, *bias_corrected_interval(value, [measure(bad[rows], probability[rows]) for rows in draws]))


def bias_corrected_interval(value: float, draws: Sequence[float]) -> tuple[float, float]:
    """Return the 95% interval of a measure from its bootstrap draws, corrected for their median bias (Efron 1981).

    KS is a maximum, so resamples lie above the sample as the sample lies above the truth; uncorrected percentiles
    would hold the truth in 75 to 85 of 100 samples of 300 applications, corrected ones in about 90.
    """
    normal = NormalDist()
    below = (np.mean(np.less(draws, value)) + np.mean(np.less_equal(draws, value))) / 2
    shift = 2 * normal.inv_cdf(float(np.clip(below, 1 / len(draws), 1 - 1 / len(draws))))
    reach = normal.inv_cdf((1 + CONFIDENCE) / 2)
    low, high = np.quantile(draws, [normal.cdf(shift - reach), normal.cdf(shift + reach)])
    return float(low), float(high)
