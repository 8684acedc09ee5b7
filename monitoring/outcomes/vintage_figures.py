"""Measures a vintage: each figure from its own source."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitoring.outcomes.decisions import Decisions
from monitoring.outcomes.earlier_loans import EarlierLoans
from monitoring.outcomes.expected_performance import (
    ExpectedPerformance,
    Loans,
    VintageOutcomes,
    expected_before,
    level_between,
    vintage_outcomes,
)
from monitoring.outcomes.observed import Contradiction, Observed, contradiction, enough, observe
from monitoring.outcomes.outcomes import Outcomes
from monitoring.outcomes.reconciliation import reconcile
from monitoring.outcomes.settings import PerformanceSettings
from monitoring.outcomes.stored_estimates import (
    CALIBRATED,
    METHODS,
    RECALIBRATED,
    REWEIGHTED,
    StoredEstimate,
    StoredEstimates,
)
from monitoring.outcomes.vintage import NotApproved, VintagePerformance
from pipelines.credit.backtest import BacktestResult
from pipelines.credit.binomial import binomial_by_band
from pipelines.credit.hosmer_lemeshow import hosmer_lemeshow
from pipelines.credit.importance import Recalibration
from pipelines.credit.label_free import label_free_performance
from pipelines.credit.loan import UNLABELLED


@dataclass(frozen=True)
class VintageContext:
    """What all vintages of a report share."""

    early: Outcomes | None
    full: Outcomes | None
    stored: StoredEstimates
    bands: Sequence[str]
    settings: PerformanceSettings
    earlier: EarlierLoans | None
    features: pd.DataFrame | None
    now: datetime


def measure_vintage(one: Decisions, context: VintageContext, outcomes: VintageOutcomes) -> VintagePerformance:
    """Return the performance of a vintage; `outcomes` are those of all vintages, of which the earlier ones are used."""
    settings, probability = context.settings, one.probability[one.approved]
    loans, approved = Loans.of(one, one.full), Loans.of_approved(one, one.full)
    expected = expected_before(one.period, outcomes.early, settings)
    estimates = _estimates(one, context)
    early, early_contradiction = _early(one, context, expected)
    matured = _observed(context.full, approved, int(one.approved.sum()), settings)
    everyone = _observed(context.full, loans, len(one.ids), settings) if len(loans.bad) > len(approved.bad) else None
    matured_contradiction = _against_pds(one, loans, context, outcomes)
    return VintagePerformance(
        period=one.period,
        scored=len(one.ids),
        approved=len(probability),
        not_approved=_not_approved(one),
        estimate=estimates.get(CALIBRATED),
        recalibrated=estimates.get(RECALIBRATED),
        reweighted=estimates.get(REWEIGHTED),
        early_expected=None if expected is None or not len(probability) else label_free_performance(
            probability, confidence=settings.confidence, recalibration=expected.recalibration),
        early=early,
        early_contradiction=early_contradiction,
        matured=matured,
        matured_contradiction=matured_contradiction,
        bands=() if not len(loans.bad) else binomial_by_band(
            loans.bad, loans.probability, loans.band, context.bands, confidence=settings.confidence),
        hosmer_lemeshow=hosmer_lemeshow(loans.bad, loans.probability, groups=settings.groups)
        if enough(loans.bad, settings) else None,
        reconciled=() if matured is None or matured.share_known < settings.reconcile_from else reconcile(
            matured, estimates, approved.probability, settings),
        statement=statement(early, early_contradiction, everyone or matured, matured_contradiction, len(approved.bad)),
        everyone=everyone,
    )  # fmt: skip


def later_contradictions(
    decisions: Sequence[Decisions], later: Outcomes, earlier: EarlierLoans | None, settings: PerformanceSettings
) -> dict[str, Contradiction | None]:
    """Return by period how outcomes after the early read compare with those of earlier vintages.

    `decisions` have these outcomes in the place of the early ones.
    """
    vintages = vintage_outcomes(decisions, earlier, later).early
    return {
        one.period: _compared(expected_before(one.period, vintages, settings), Loans.of(one, one.early), settings)
        for one in decisions
    }


def _estimates(one: Decisions, context: VintageContext) -> dict[str, StoredEstimate]:
    """Return the stored estimates of a vintage by method; an estimate of these loans is made once."""
    probability, ids = one.probability[one.approved], one.ids[one.approved]
    if not len(ids):
        return {}
    outcomes_known = int(np.sum((one.early[one.approved] != UNLABELLED) | (one.full[one.approved] != UNLABELLED)))
    for method in METHODS:
        if context.stored.has(one.period, method, ids, probability):
            continue
        recalibration = _recalibration(method, ids, context)
        if recalibration is not None or method == CALIBRATED:
            estimate = label_free_performance(
                probability, confidence=context.settings.confidence, recalibration=recalibration
            )
            new = StoredEstimate(one.period, method, context.now, outcomes_known, estimate, recalibration)
            context.stored.store(new, ids, probability)
    stored = {method: context.stored.to_reconcile(one.period, method) for method in METHODS}
    return {method: estimate for method, estimate in stored.items() if estimate is not None}


def _recalibration(method: str, ids: NDArray[np.str_], context: VintageContext) -> Recalibration | None:
    if context.earlier is None or method == CALIBRATED:
        return None
    if method == RECALIBRATED:
        return context.earlier.recalibration()
    if context.features is None:
        return None
    present = context.features.loc[context.features.index.isin(ids)]  # a sample of a large table
    return context.earlier.recalibration_for(present) if len(present) else None


def _not_approved(one: Decisions) -> NotApproved | None:
    rest = ~one.approved
    if not rest.any():
        return None
    with_outcome = rest & (one.full != UNLABELLED)
    mean = float(one.probability[rest].mean())
    return NotApproved(int(rest.sum()), mean, int(with_outcome.sum()), int(one.full[with_outcome].sum()))


def _early(
    one: Decisions, context: VintageContext, expected: ExpectedPerformance | None
) -> tuple[Observed | None, Contradiction | None]:
    approved, settings = Loans.of_approved(one, one.early), context.settings
    observed = _observed(context.early, approved, int(one.approved.sum()), settings)
    return observed, _compared(expected, Loans.of(one, one.early), settings)


def _observed(outcomes: Outcomes | None, loans: Loans, rows: int, settings: PerformanceSettings) -> Observed | None:
    """Return the measures of loans out of `rows` applications, None without an outcome."""
    if outcomes is None or not len(loans.bad):
        return None
    return observe(outcomes.definition, loans.bad, loans.probability, rows - len(loans.bad), settings)


def _compared(
    expected: ExpectedPerformance | None, loans: Loans, settings: PerformanceSettings
) -> Contradiction | None:
    """Return how outcomes compare with those of earlier vintages, None where either are too few."""
    if expected is None or not len(loans.bad):
        return None
    return contradiction(
        loans.bad,
        loans.probability,
        expected.recalibration,
        between=expected.between,
        judges_level=len(expected.periods) >= settings.least_vintages_for_level,
        expected_from=f"the early outcomes of {expected.source}",
        settings=settings,
    )


def _against_pds(
    one: Decisions, loans: Loans, context: VintageContext, outcomes: VintageOutcomes
) -> Contradiction | None:
    """Return how matured outcomes compare with the PDs, recalibrated where enough earlier vintages are known."""
    if not len(loans.bad):
        return None
    expected = expected_before(one.period, outcomes.full, context.settings)
    if expected is not None and len(expected.periods) < context.settings.least_vintages_for_level:
        expected = None  # too few to know the level: the PDs themselves are the expectation
    return contradiction(
        loans.bad,
        loans.probability,
        None if expected is None else expected.recalibration,
        between=level_between(one.period, outcomes.full, None) if expected is None else expected.between,
        judges_level=True,
        expected_from="the PDs" if expected is None else f"the outcomes of {expected.source}",
        settings=context.settings,
    )


UNKNOWN = "no outcomes yet, so a change in P(bad | features) cannot be detected; the estimate assumes no such change"
TOO_FEW = "too few to show whether P(bad | features) has changed"


def statement(
    early: Observed | None,
    early_contradiction: Contradiction | None,
    matured: Observed | None,
    matured_contradiction: Contradiction | None,
    approved: int,
) -> str:
    """Return what the outcomes show so far, the most mature first; `approved` of the matured are of approved loans."""
    if matured_contradiction is not None and matured is not None:
        return f"{_outcomes(matured, approved)}: {_comparison(matured_contradiction)}"
    if early_contradiction is not None and early is not None:
        return f"{early.loans:,} early outcomes by {early.definition}: {_comparison(early_contradiction)}"
    if matured is not None:
        return f"{_outcomes(matured, approved)}, {TOO_FEW}"
    return UNKNOWN if early is None else f"{early.loans:,} outcomes by {early.definition}, {TOO_FEW}"


def _outcomes(matured: Observed, approved: int) -> str:
    others = matured.loans - approved
    split = f" ({approved:,} of approved applications, {others:,} of others)" if others else ""
    return f"{matured.loans:,} outcomes by {matured.definition}{split}"


def _comparison(contradiction: Contradiction) -> str:
    parts = []
    if contradiction.ranks_worse and contradiction.ranking is not None:
        parts.append(f"the score ranks worse than expected (AUC {_figures(contradiction.ranking)})")
    if contradiction.level_moved:
        parts.append(f"the default rate differs from the expected one (bad rate {_figures(contradiction.level)})")
    if not parts:
        return "as expected"
    text = " and ".join(parts)
    if contradiction.ranking is None:
        text += ", with too few of one class to test the ranking"
    return f"{text}; expected from {contradiction.expected_from}; estimates without labels cannot detect this"


def _figures(result: BacktestResult) -> str:
    """Return the observed and the expected figure.

    >>> _figures(BacktestResult(0.61234, 0.7, 0.001))
    '0.612, expected 0.700'
    """
    return f"{result.observed:.3f}, expected {result.expected:.3f}"
