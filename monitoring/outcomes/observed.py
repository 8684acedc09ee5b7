"""Measures of the outcomes of a vintage with intervals, and whether they contradict the expectation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from monitoring.outcomes.settings import PerformanceSettings
from pipelines.credit.backtest import BacktestResult, backtest_level, backtest_ranking
from pipelines.credit.calibration import brier
from pipelines.credit.discrimination import delong_difference, kolmogorov_smirnov_of
from pipelines.credit.importance import Recalibration
from pipelines.credit.label_free import Estimate
from pipelines.credit.rates import wilson_interval
from pipelines.credit.resampling import interval_of_upward_biased, redraw, redraw_without_separation
from pipelines.credit.tally import tally

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

TESTS = 4
"""Tests of a report that share the error: ranking and level of the newest early and of the newest matured outcomes."""

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


@dataclass(frozen=True)
class Contradiction:
    """Outcomes against the expectation: ranking, level, and which of them differ by more than noise and the floor.

    `ranking` is None where outcomes are of one class, or nearly. `expected_from` names the source of the expectation.
    """

    ranking: BacktestResult | None
    level: BacktestResult
    ranks_worse: bool
    level_moved: bool
    expected_from: str

    @property
    def found(self) -> bool:
        """Whether ranking or level contradict the PDs."""
        return self.ranks_worse or self.level_moved

    @property
    def is_lower_level(self) -> bool:
        """Whether fewer defaults than expected are all that contradicts the PDs, as with outcomes that are immature."""
        return self.level_moved and not self.ranks_worse and self.level.observed < self.level.expected


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


def contradiction(
    bad: Codes,
    probability: Floats,
    recalibration: Recalibration | None,
    *,
    between: float,
    judges_level: bool,
    expected_from: str,
    settings: PerformanceSettings,
) -> Contradiction | None:
    """Return how outcomes compare with the PDs, recalibrated to their definition; None with too few outcomes.

    Too few of one class leave the ranking open; a level that is far from the expected one contradicts the PDs anyway.
    `between` is the variance of level between vintages (`variance_between`). `judges_level` is false where
    too few vintages are known to distinguish a move of the level from a season.
    """
    if len(bad) < settings.least_of_each:
        return None
    level = backtest_level(bad, probability, recalibration, between=between)
    chance = settings.level / TESTS
    ratio = level.observed / max(level.expected, np.finfo(np.float64).tiny)
    is_large = not 1 / settings.level_floor <= ratio <= settings.level_floor
    level_moved = judges_level and level.p_value < chance and is_large
    if not enough(bad, settings):
        is_far = level_moved and _chance_of_level(bad, level.expected) < chance
        return Contradiction(None, level, False, True, expected_from) if is_far else None
    ranking = backtest_ranking(bad, probability, recalibration)
    ranks_worse = ranking.p_value < chance and ranking.expected - ranking.observed > settings.ranking_floor
    return Contradiction(ranking, level, ranks_worse, level_moved, expected_from)


def _chance_of_level(bad: Codes, expected: float) -> float:
    """Return the exact two-sided probability of as many bad loans or more extreme, of any number of loans."""
    events, rows = int(bad.sum()), len(bad)
    return 2 * float(min(binom.cdf(events, rows, expected), binom.sf(events - 1, rows, expected)))


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
