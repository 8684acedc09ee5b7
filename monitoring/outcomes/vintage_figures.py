"""Measures a vintage: each figure from its own source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from monitoring.outcomes.contradictions import Contradiction, contradictions, fraud_signs
from monitoring.outcomes.decisions import Decisions
from monitoring.outcomes.earlier_loans import EarlierLoans
from monitoring.outcomes.expected_performance import expected_performance
from monitoring.outcomes.forecast import forecast_recalibration
from monitoring.outcomes.observed import Observed, enough, observe
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
from monitoring.outcomes.vintage_loans import Loans, VintageCounts
from pipelines.credit.backtest import BacktestResult
from pipelines.credit.binomial import binomial_by_band
from pipelines.credit.hosmer_lemeshow import hosmer_lemeshow
from pipelines.credit.importance import Recalibration
from pipelines.credit.label_free import label_free_performance
from pipelines.credit.loan import UNLABELLED


@dataclass(frozen=True)
class VintageContext:
    """What all vintages of a report share; `version` scored the earlier loans."""

    early: Outcomes | None
    full: Outcomes | None
    stored: StoredEstimates
    bands: Sequence[str]
    settings: PerformanceSettings
    earlier: EarlierLoans | None
    features: pd.DataFrame | None
    now: datetime
    version: str = ""


@dataclass(frozen=True)
class VintagesByDefinition:
    """The outcomes of all vintages as counts, by definition.

    `later` are outcomes after the first payment, of the loans that made it; `full_is_of_model` as in `Outcomes`.
    """

    early: Sequence[VintageCounts] = ()
    full: Sequence[VintageCounts] = ()
    first_payment: Sequence[VintageCounts] = ()
    later: Sequence[VintageCounts] = ()
    full_is_of_model: bool = True


@dataclass(frozen=True)
class Comparisons:
    """How the outcomes of each vintage compare with those before it, by period; `fraud` as `fraud_signs` does."""

    early: Mapping[str, Contradiction]
    full: Mapping[str, Contradiction]
    first_payment: Mapping[str, Contradiction]
    fraud: Mapping[str, Contradiction]


def compare_vintages(known: VintagesByDefinition, settings: PerformanceSettings) -> Comparisons:
    """Return the comparisons of all vintages."""
    return Comparisons(
        contradictions(known.early, settings),
        contradictions(known.full, settings, of_pds=known.full_is_of_model),
        contradictions(known.first_payment, settings, ranks=False),
        fraud_signs(known.first_payment, known.later, settings),
    )


def measure_vintage(
    one: Decisions, context: VintageContext, known: VintagesByDefinition, compared: Comparisons
) -> VintagePerformance:
    """Return the performance of a vintage; the outcomes to expect are those of the vintages before it."""
    settings, probability = context.settings, one.probability[one.approved]
    loans, approved = Loans.of(one, one.full), Loans.of_approved(one, one.full)
    expected = expected_performance(known.early, settings, before=one.period)
    estimates = _estimates(one, context, known.full)
    early = _observed(context.early, Loans.of_approved(one, one.early), int(one.approved.sum()), settings)
    matured = _observed(context.full, approved, int(one.approved.sum()), settings)
    everyone = _observed(context.full, loans, len(one.ids), settings) if len(loans.bad) > len(approved.bad) else None
    early_contradiction, matured_contradiction = compared.early.get(one.period), compared.full.get(one.period)
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
        statement=first_payments(compared.first_payment.get(one.period), compared.fraud.get(one.period)) + statement(
            early, early_contradiction, everyone or matured, matured_contradiction, len(approved.bad)),
        everyone=everyone,
        first_payment_contradiction=compared.first_payment.get(one.period),
        fraud_contradiction=compared.fraud.get(one.period),
    )  # fmt: skip


def _estimates(
    one: Decisions, context: VintageContext, full_counts: Sequence[VintageCounts]
) -> dict[str, StoredEstimate]:
    """Return the stored estimates of a vintage by method; an estimate of these loans is made once."""
    probability, ids = one.probability[one.approved], one.ids[one.approved]
    if not len(ids):
        return {}
    outcomes_known = int(np.sum((one.early[one.approved] != UNLABELLED) | (one.full[one.approved] != UNLABELLED)))
    for method in METHODS:
        if context.stored.has(one.period, method, ids, probability):
            continue
        recalibration = _recalibration(method, one, context, full_counts)
        if recalibration is not None or method == CALIBRATED:
            estimate = label_free_performance(
                probability, confidence=context.settings.confidence, recalibration=recalibration
            )
            new = StoredEstimate(one.period, method, context.now, outcomes_known, estimate, recalibration)
            context.stored.store(new, ids, probability)
    stored = {method: context.stored.to_reconcile(one.period, method) for method in METHODS}
    return {method: estimate for method, estimate in stored.items() if estimate is not None}


def _recalibration(
    method: str, one: Decisions, context: VintageContext, full_counts: Sequence[VintageCounts]
) -> Recalibration | None:
    """Return the recalibration of a method as it is expected for a vintage, None where there is none."""
    if context.earlier is None or method == CALIBRATED or (context.version and one.scored_by != context.version):
        return None
    fitted = context.earlier.recalibration() if method == RECALIBRATED else _reweighted(one, context)
    basis = context.earlier.recalibration(weighted=False)
    if fitted is None or basis is None:
        return None
    probability = one.probability[one.approved]
    return forecast_recalibration(fitted, basis, full_counts, one.period, probability, context.settings)


def _reweighted(one: Decisions, context: VintageContext) -> Recalibration | None:
    if context.earlier is None or context.features is None:
        return None
    ids = one.ids[one.approved]
    present = context.features.loc[context.features.index.isin(ids)]  # a sample of a large table
    return context.earlier.recalibration_for(present) if len(present) else None


def _not_approved(one: Decisions) -> NotApproved | None:
    rest = ~one.approved
    if not rest.any():
        return None
    with_outcome = rest & (one.full != UNLABELLED)
    mean = float(one.probability[rest].mean())
    return NotApproved(int(rest.sum()), mean, int(with_outcome.sum()), int(one.full[with_outcome].sum()))


def _observed(outcomes: Outcomes | None, loans: Loans, rows: int, settings: PerformanceSettings) -> Observed | None:
    """Return the measures of loans out of `rows` applications, None without an outcome."""
    if outcomes is None or not len(loans.bad):
        return None
    return observe(outcomes.definition, loans.bad, loans.probability, rows - len(loans.bad), settings)


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


def first_payments(first: Contradiction | None, fraud: Contradiction | None) -> str:
    """Return what first payments show, with a semicolon, empty where they are as expected."""
    if fraud is not None and fraud.found:
        rates = _figures(fraud.level)
        return f"first payments fail beyond what {fraud.expected_from} explain (bad rate {rates}); "
    if first is not None and first.found:
        return f"first payments fail at another rate than expected (bad rate {_figures(first.level)}); "
    return ""


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
    if contradiction.since is not None:
        text += f", probably since the vintage {contradiction.since}"
    if contradiction.ranking is None:
        text += ", with too few of one class to test the ranking"
    return f"{text}; expected from {contradiction.expected_from}; estimates without labels cannot detect this"


def _figures(result: BacktestResult) -> str:
    """Return the observed and the expected figure.

    >>> _figures(BacktestResult(0.61234, 0.7, 0.001))
    '0.612, expected 0.700'
    """
    return f"{result.observed:.3f}, expected {result.expected:.3f}"
