"""Measures of the outcomes of a vintage, with intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.outcomes.settings import PerformanceSettings
from pipelines.credit.calibration import brier
from pipelines.credit.discrimination import delong_difference, kolmogorov_smirnov_of
from pipelines.credit.label_free import Estimate
from pipelines.credit.rates import wilson_interval
from pipelines.credit.resampling import interval_of_upward_biased, redraw, redraw_without_separation
from pipelines.credit.tally import tally

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

DRAWS = 100
MOST_SCORES = 500


@dataclass(frozen=True)
class Observed:
    """Outcomes of a vintage's approved applications by a definition.

    `loans` have an outcome, `awaiting` have none: not yet, or never (not taken up, refunded, fraud). AUC, Gini and KS
    are None with too few good or bad loans.
    """

    definition: str
    loans: int
    awaiting: int
    bad: int
    bad_rate: Estimate
    auc: Estimate | None
    gini: Estimate | None
    ks: Estimate | None
    brier: float

    @property
    def share_known(self) -> float:
        """The share of the approved that have an outcome."""
        return self.loans / (self.loans + self.awaiting)


def observe(
    definition: str, bad: Codes, probability: Floats, awaiting: int, settings: PerformanceSettings, *, seed: int = 0
) -> Observed:
    """Return the measures of the outcomes of at least one loan; `bad` and `probability` have the shape (n,)."""
    events = int(bad.sum())
    rate = Estimate(events / len(bad), *wilson_interval(events, len(bad), settings.confidence))
    area = spread = None
    if enough(bad, settings):
        area = _auc(bad, probability, settings.confidence)
        spread = _ks(bad, probability, settings.confidence, seed)
    return Observed(
        definition=definition,
        loans=len(bad),
        awaiting=awaiting,
        bad=events,
        bad_rate=rate,
        auc=area,
        gini=None if area is None else Estimate(*(2 * one - 1 for one in (area.value, area.low, area.high))),
        ks=spread,
        brier=brier(bad, probability),
    )


def enough(bad: Codes, settings: PerformanceSettings) -> bool:
    """Return whether there are enough good and bad loans for a measure of ranking."""
    return min(int(bad.sum()), len(bad) - int(bad.sum())) >= settings.least_of_each


def _auc(bad: Codes, probability: Floats, confidence: float) -> Estimate:
    """Return the AUC with DeLong's interval, as the difference from a constant score, whose AUC is 1/2."""
    difference = delong_difference(bad, probability, np.zeros(len(bad)), confidence=confidence)
    low, middle, high = (0.5 + one for one in (difference.low, difference.difference, difference.high))
    return Estimate(middle, max(low, 0.0), min(high, 1.0))


def _ks(bad: Codes, probability: Floats, confidence: float, seed: int) -> Estimate:
    generator = np.random.default_rng(seed)
    counts = tally(bad, probability)
    value, few = kolmogorov_smirnov_of(counts), counts.merged(MOST_SCORES)
    draws = [kolmogorov_smirnov_of(redraw(few, generator)) for _ in range(DRAWS)]
    chance = [kolmogorov_smirnov_of(redraw_without_separation(few, generator)) for _ in range(DRAWS)]
    return Estimate(value, *interval_of_upward_biased(value, draws, chance, confidence))
