"""Expected performance before outcomes are known, from probabilities of default that are taken to be right."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipelines.credit.arrays import Floats
from pipelines.credit.discrimination import kolmogorov_smirnov_of
from pipelines.credit.expected_auc import expected_auc
from pipelines.credit.importance import Recalibration
from pipelines.credit.rates import z_of
from pipelines.credit.resampling import redraw_as_predicted
from pipelines.credit.tally import Tally

CANNOT_SEE = (
    "a change of P(bad | features): that the PDs still rank and still have the right level is presumed, not measured",
    "what became of the declined: they will never have outcomes",
    "loans that go bad together: each outcome is taken to be independent given its PD",
)
"""What an estimate without labels cannot detect; shown beside each estimate."""

MOST_SCORES = 1_000
STEP = 1e-3


@dataclass(frozen=True)
class Estimate:
    """A measure and the interval in which its realised value is expected."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Return whether the interval holds a value."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class LabelFree:
    """The expected measures of `rows` loans, none of whose outcomes was looked at; `cannot_see` belongs beside them."""

    rows: int
    auc: Estimate
    gini: Estimate
    ks: Estimate
    brier: Estimate
    bad_rate: Estimate
    cannot_see: tuple[str, ...] = CANNOT_SEE


def label_free_performance(
    probability: Floats,
    *,
    confidence: float,
    recalibration: Recalibration | None = None,
    draws: int = 200,
    seed: int = 0,
) -> LabelFree:
    """Return the performance that calibrated probabilities of default, shape (n,), expect of themselves.

    The score is the probability itself. Intervals are those of the realised measure: outcomes vary given the PDs, and
    with a `recalibration` the calibration is known to so many outcomes only, and its uncertainty is added (the delta
    method on intercept and slope). The probabilities are then taken as recalibrated. AUC and Gini are those of
    `expected_auc`; the Brier score and the bad rate have closed forms; KS, a maximum, has none: it is drawn.

    Raises:
        ValueError: no rows, or a probability outside of 0 to 1.
    """
    if not len(probability) or not bool(np.all((probability >= 0) & (probability <= 1))):
        raise ValueError("probabilities of default must be between 0 and 1, at least one of them; pass calibrated PDs")
    p = probability if recalibration is None else recalibration.apply(probability)
    reach = z_of(confidence)

    def estimate(measure: Callable[[Floats], float], deviation: float) -> Estimate:
        spread = reach * float(np.hypot(deviation, deviation_from_calibration(measure, probability, recalibration)))
        middle = measure(p)
        return Estimate(middle, max(middle - spread, 0.0), min(middle + spread, 1.0))

    area = estimate(lambda one: expected_auc(one, probability).value, expected_auc(p, probability).deviation)
    return LabelFree(
        rows=len(p),
        auc=area,
        gini=Estimate(*(2 * one - 1 for one in (area.value, area.low, area.high))),
        ks=_expected_ks(probability, recalibration, confidence, draws, seed),
        brier=estimate(lambda one: float(np.mean(one * (1 - one))), _brier_deviation(p)),
        bad_rate=estimate(lambda one: float(one.mean()), float(np.sqrt(p @ (1 - p))) / len(p)),
    )


def deviation_from_calibration(
    measure: Callable[[Floats], float], probability: Floats, recalibration: Recalibration | None
) -> float:
    """Return the standard deviation that a measure inherits from an uncertain calibration, by the delta method."""
    if recalibration is None:
        return 0.0
    slopes = np.array(
        [
            (measure(recalibration.moved(*step).apply(probability)) - measure(recalibration.apply(probability))) / STEP
            for step in ((STEP, 0.0), (0.0, STEP))
        ]
    )
    return float(np.sqrt(max(slopes @ np.asarray(recalibration.covariance) @ slopes, 0.0)))


def _brier_deviation(p: Floats) -> float:
    """Return the standard deviation of the mean of (y - p)^2, which is p^2 + y (1 - 2 p)."""
    return float(np.sqrt((1 - 2 * p) ** 2 @ (p * (1 - p)))) / len(p)


def _expected_ks(
    score: Floats, recalibration: Recalibration | None, confidence: float, draws: int, seed: int
) -> Estimate:
    """Return mean and percentiles of KS over outcomes drawn by the probabilities, on at most about 1,000 scores."""
    generator = np.random.default_rng(seed)
    merged = _merged(score)
    distances = []
    for _ in range(draws):
        now = merged.score if recalibration is None else recalibration.drawn(generator).apply(merged.score)
        drawn = redraw_as_predicted(Tally(now, merged.good, merged.bad), generator)
        if drawn.good.any() and drawn.bad.any():
            distances.append(kolmogorov_smirnov_of(drawn))
    if not distances:
        return Estimate(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(distances, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(float(np.mean(distances)), float(low), float(high))


def _merged(score: Floats) -> Tally:
    distinct, rows = np.unique(score, return_counts=True)
    return Tally(distinct, rows.astype(np.float64), np.zeros(len(distinct))).merged(MOST_SCORES)
