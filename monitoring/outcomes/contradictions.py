"""Whether outcomes contradict the model: jumps of the level and of the ranking of vintages, within a yearly budget."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr
from scipy.stats import binom

from monitoring.outcomes.expected_performance import expected_performance
from monitoring.outcomes.settings import PerformanceSettings
from monitoring.outcomes.vintage_loans import VintageCounts
from pipelines.credit.backtest import (
    BacktestResult,
    backtest_level,
    level_of,
    level_shift,
    ranking_of,
    rate_at,
    variance_between,
)
from pipelines.credit.discrimination import auc_of
from pipelines.credit.importance import Recalibration
from pipelines.credit.local_level import YEAR, Judged, Jump, Observation, follow

TESTS = 6
"""Tests that share the error budget: level and ranking of early reads and of matured outcomes, the level of first
payments, and that of first payments beyond later ones."""

LEVEL, RANKING, MORE_BAD = Jump(0.5), Jump(0.1, sign=-1, usual=0.1), Jump(0.5, sign=1)
"""The jumps that are looked for: in log-odds of bad either way, of the AUC downwards, in log-odds of bad upwards.

Economies move the level by up to about .16 a month; the AUC of an unchanged market hardly moves, by up to about .01."""

OTHER_VERSION = 0.5
"""Standard deviation of the difference between the levels of two versions of a model, relative to such a jump."""


@dataclass(frozen=True)
class Contradiction:
    """Outcomes against the expectation: ranking, level, and which of them changed by more than noise and the floor.

    `ranking` is None where outcomes are of one class, or nearly. `expected_from` names the source of the expectation,
    `since` the vintage from which on a change is likeliest, None without one.
    """

    ranking: BacktestResult | None
    level: BacktestResult
    ranks_worse: bool
    level_moved: bool
    expected_from: str
    since: str | None = None

    @property
    def found(self) -> bool:
        """Whether ranking or level contradict the PDs."""
        return self.ranks_worse or self.level_moved

    @property
    def is_lower_level(self) -> bool:
        """Whether fewer defaults than expected are all that contradicts the PDs, as with outcomes that are immature."""
        return self.level_moved and not self.ranks_worse and self.level.observed < self.level.expected


def contradictions(
    vintages: Sequence[VintageCounts], settings: PerformanceSettings, *, of_pds: bool = False, ranks: bool = True
) -> dict[str, Contradiction]:
    """Return by period how the outcomes of each vintage compare with those before it; none where they are too few.

    `of_pds` says that the outcomes are by the definition of the PDs, which are then the expectation; those of another
    definition are compared with PDs that are recalibrated to it on the oldest vintages. A vintage of the PDs' own
    definition is compared with the PDs alone while fewer than `least_vintages_for_level` are known before it. The
    ranking is compared if `ranks`.
    """
    known = _in_order(vintages)
    expected = None if of_pds else expected_performance(known, settings)
    if expected is None and not of_pds:
        return {}
    recalibration = None if expected is None else expected.recalibration
    least = settings.least_vintages_for_level
    levels = follow([level_observation(one, recalibration) for one in known], LEVEL, least=least, offset=OTHER_VERSION)
    both = [one for one in known if ranks and has_enough(one, settings)]
    ranked = follow([ranking_observation(one, recalibration) for one in both], RANKING, least=1, offset=OTHER_VERSION)
    rankings = {one.period: judged for one, judged in zip(both, ranked, strict=True)}
    found: dict[str, Contradiction | None] = {}
    for place, (one, level) in enumerate(zip(known, levels, strict=True)):
        if of_pds and place < least:
            found[one.period] = _against_pds(one, known[:place], settings)
        elif place:
            source = _source(known[:place])
            found[one.period] = _against_earlier(
                one, level, rankings.get(one.period), recalibration, settings, f"the outcomes of {source}", ranks=ranks
            )
    return {period: one for period, one in found.items() if one is not None}


def fraud_signs(
    first: Sequence[VintageCounts], later: Sequence[VintageCounts], settings: PerformanceSettings
) -> dict[str, Contradiction]:
    """Return by period whether first payments fail more often than the later payments of those who made them.

    An economy, other terms or a worse score move both levels; loans that were never meant to be repaid move the first.
    """
    outcomes_of_later = {one.period: one for one in later if one.loans}
    known = [one for one in _in_order(first) if one.period in outcomes_of_later]
    expected_first = expected_performance(known, settings)
    expected_later = expected_performance([*outcomes_of_later.values()], settings)
    if expected_first is None or expected_later is None:
        return {}
    recalibration = expected_first.recalibration
    differences = []
    for one in known:
        of_first = level_observation(one, recalibration)
        of_later = level_observation(outcomes_of_later[one.period], expected_later.recalibration)
        variance = of_first.variance + of_later.variance
        differences.append(replace(of_first, level=of_first.level - of_later.level, variance=variance))
    judged = follow(differences, MORE_BAD, least=settings.least_vintages_for_level, offset=OTHER_VERSION)
    found: dict[str, Contradiction] = {}
    for one, difference in zip(known, judged, strict=True):
        level, _ = level_of(one.counts, recalibration)
        usual = level - difference.observation.level + _without_jump(difference, TESTS / settings.level)
        rate = rate_at(one.counts, recalibration, usual)
        seen = BacktestResult(one.bad / one.loans, rate, 1 - difference.below, difference.e_value)
        moved = difference.e_value >= TESTS / settings.level and _is_large(seen, settings)
        since = _period(difference.since) if moved else None
        found[one.period] = Contradiction(None, seen, False, moved, "the later payments of the same loans", since)
    return found


def _in_order(vintages: Sequence[VintageCounts]) -> list[VintageCounts]:
    return sorted((one for one in vintages if one.loans), key=lambda one: one.period)


def has_enough(vintage: VintageCounts, settings: PerformanceSettings) -> bool:
    """Return whether a vintage has enough good and bad loans for a measure of ranking."""
    return min(vintage.bad, vintage.loans - vintage.bad) >= settings.least_of_each


def _source(vintages: Sequence[VintageCounts]) -> str:
    first, last = vintages[0].period, vintages[-1].period
    return first + (f" to {last}" if last != first else "")


def level_observation(one: VintageCounts, recalibration: Recalibration | None) -> Observation:
    """Return the level of a vintage, in log-odds beyond its recalibrated PDs."""
    return Observation(month_number(one.period), *level_of(one.counts, recalibration), one.scored_by)


def ranking_observation(one: VintageCounts, recalibration: Recalibration | None) -> Observation:
    """Return the AUC of a vintage beyond the one that its recalibrated PDs expect."""
    result, deviation = ranking_of(one.counts, recalibration, level_of(one.counts, recalibration)[0])
    return Observation(month_number(one.period), result.observed - result.expected, deviation**2, one.scored_by)


def month_number(period: str) -> int:
    """Return a month as a number."""
    return int(np.datetime64(period, "M").astype(int))


def _against_earlier(
    one: VintageCounts,
    level: Judged,
    ranking: Judged | None,
    recalibration: Recalibration | None,
    settings: PerformanceSettings,
    expected_from: str,
    *,
    ranks: bool,
) -> Contradiction | None:
    required = TESTS / settings.level
    rate = rate_at(one.counts, recalibration, _without_jump(level, required))
    seen = BacktestResult(one.bad / one.loans, rate, level.two_sided, level.e_value)
    level_moved = level.e_value >= required and _is_large(seen, settings)
    since = _period(level.since) if level_moved else None
    if not ranks:
        return Contradiction(None, seen, False, level_moved, expected_from, since)
    if ranking is None:
        return _of_one_class(one, seen, level_moved, settings, expected_from, since)
    area = auc_of(one.counts)
    usual = area - ranking.observation.level + _without_jump(ranking, required)
    ranked = BacktestResult(area, usual, ranking.below, ranking.e_value)
    ranks_worse = ranking.e_value >= required and usual - area > settings.ranking_floor
    since = _period(ranking.since) if ranks_worse else since
    return Contradiction(ranked, seen, ranks_worse, level_moved, expected_from, since)


def _without_jump(judged: Judged, required: float) -> float:
    """Return the level that was expected, without the jump where there was one: by now it is expected too."""
    return judged.observation.level - judged.jump if judged.e_value >= required else judged.expected


def _period(month: int | None) -> str | None:
    return None if month is None else str(np.datetime64(month, "M"))


def _is_large(level: BacktestResult, settings: PerformanceSettings) -> bool:
    ratio = level.observed / max(level.expected, np.finfo(np.float64).tiny)
    return not 1 / settings.level_floor <= ratio <= settings.level_floor


def _against_pds(
    one: VintageCounts, earlier: Sequence[VintageCounts], settings: PerformanceSettings
) -> Contradiction | None:
    """Return how a vintage compares with its PDs, where too few are known before it to know how levels move."""
    chance = settings.level / (YEAR * TESTS)
    between = variance_between([level_shift(vintage.counts) for vintage in earlier])
    level = backtest_level(one.counts, between=between)
    level_moved = level.p_value < chance and _is_large(level, settings)
    if not has_enough(one, settings):
        return _of_one_class(one, level, level_moved, settings, "the PDs", None)
    ranking, deviation = ranking_of(one.counts, None, 0.0)
    p_value = float(ndtr((ranking.observed - ranking.expected) / deviation))
    ranks_worse = p_value < chance and ranking.expected - ranking.observed > settings.ranking_floor
    return Contradiction(replace(ranking, p_value=p_value), level, ranks_worse, level_moved, "the PDs")


def _of_one_class(
    one: VintageCounts,
    level: BacktestResult,
    level_moved: bool,
    settings: PerformanceSettings,
    expected_from: str,
    since: str | None,
) -> Contradiction | None:
    """Return the contradiction of a level that is far from the expected one; too few of one class leave the rest open.

    Its probability is the exact one, of any number of loans.
    """
    if one.loans < settings.least_of_each or not level_moved:
        return None
    tails = binom.cdf(one.bad, one.loans, level.expected), binom.sf(one.bad - 1, one.loans, level.expected)
    is_far = 2 * min(tails) < settings.level / (YEAR * TESTS)
    return Contradiction(None, level, False, True, expected_from, since) if is_far else None
