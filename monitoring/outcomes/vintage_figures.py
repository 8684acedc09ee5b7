"""How a vintage is measured: each figure from its own source."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitoring.outcomes.decisions import Decisions
from monitoring.outcomes.expected_performance import (
    KnownSoFar,
    Loans,
    Yardstick,
    known_of,
    level_between,
    yardstick_before,
)
from monitoring.outcomes.observed import Contradiction, Observed, contradiction, enough, observe
from monitoring.outcomes.outcomes import Outcomes
from monitoring.outcomes.reconciliation import reconcile
from monitoring.outcomes.reweighting import EarlierLoans
from monitoring.outcomes.settings import PerformanceSettings
from monitoring.outcomes.statement import statement
from monitoring.outcomes.stored_estimates import (
    CALIBRATED,
    METHODS,
    RECALIBRATED,
    REWEIGHTED,
    KeptEstimate,
    KeptEstimates,
)
from monitoring.outcomes.vintage import NotApproved, VintagePerformance
from pipelines.credit.binomial import binomial_by_band
from pipelines.credit.hosmer_lemeshow import hosmer_lemeshow
from pipelines.credit.importance import Recalibration
from pipelines.credit.label_free import label_free_performance
from pipelines.credit.loan import UNLABELLED


@dataclass(frozen=True)
class Surroundings:
    """What all vintages of a report share."""

    early: Outcomes | None
    full: Outcomes | None
    kept: KeptEstimates
    bands: Sequence[str]
    settings: PerformanceSettings
    earlier: EarlierLoans | None
    features: pd.DataFrame | None
    now: datetime


def measure_vintage(one: Decisions, around: Surroundings, known: KnownSoFar) -> VintagePerformance:
    """Return the performance of a vintage; `known` are the outcomes of all of them, of which it uses earlier ones."""
    settings, probability = around.settings, one.probability[one.approved]
    loans = Loans.of(one, one.full)
    yardstick = yardstick_before(one.period, known.early, settings)
    estimates = _estimates(one, around)
    early, early_says = _early(one, around, yardstick)
    matured, matured_says = _matured(one, loans, around, known)
    return VintagePerformance(
        period=one.period,
        scored=len(one.ids),
        approved=len(probability),
        not_approved=_not_approved(one),
        estimate=estimates.get(CALIBRATED),
        recalibrated=estimates.get(RECALIBRATED),
        reweighted=estimates.get(REWEIGHTED),
        early_expected=None if yardstick is None or not len(probability) else label_free_performance(
            probability, confidence=settings.confidence, recalibration=yardstick.recalibration),
        early=early,
        early_contradiction=early_says,
        matured=matured,
        matured_contradiction=matured_says,
        bands=() if matured is None else binomial_by_band(
            loans.bad, loans.probability, loans.band, around.bands, confidence=settings.confidence),
        hosmer_lemeshow=hosmer_lemeshow(loans.bad, loans.probability, groups=settings.groups)
        if enough(loans.bad, settings) else None,
        reconciled=() if matured is None or matured.share_known < settings.reconcile_from else reconcile(
            matured, estimates, loans.probability, settings),
        statement=statement(early, early_says, matured, matured_says),
    )  # fmt: skip


def _estimates(one: Decisions, around: Surroundings) -> dict[str, KeptEstimate]:
    """Return the kept estimates of a vintage by method, made now where these loans have none."""
    probability, ids = one.probability[one.approved], one.ids[one.approved]
    if not len(ids):
        return {}
    known = int(np.sum((one.early[one.approved] != UNLABELLED) | (one.full[one.approved] != UNLABELLED)))
    for method in METHODS:
        if around.kept.find(one.period, method, ids, probability) is not None:
            continue
        way = _recalibration(method, ids, around)
        if way is not None or method == CALIBRATED:
            estimate = label_free_performance(probability, confidence=around.settings.confidence, recalibration=way)
            made = KeptEstimate(one.period, method, around.now, known, estimate, way)
            around.kept.keep(made, ids, probability)
    held = {method: around.kept.to_reconcile(one.period, method) for method in METHODS}
    return {method: estimate for method, estimate in held.items() if estimate is not None}


def _recalibration(method: str, ids: NDArray[np.str_], around: Surroundings) -> Recalibration | None:
    if around.earlier is None or method == CALIBRATED:
        return None
    if method == RECALIBRATED:
        return around.earlier.recalibration()
    if around.features is None:
        return None
    present = around.features.loc[around.features.index.isin(ids)]  # of a large table a sample is kept
    return around.earlier.recalibration_for(present) if len(present) else None


def _not_approved(one: Decisions) -> NotApproved | None:
    rest = ~one.approved
    if not rest.any():
        return None
    seen = rest & (one.full != UNLABELLED)
    mean = float(one.probability[rest].mean())
    return NotApproved(int(rest.sum()), mean, int(seen.sum()), int(one.full[seen].sum()))


def _early(
    one: Decisions, around: Surroundings, yardstick: Yardstick | None
) -> tuple[Observed | None, Contradiction | None]:
    loans, settings = Loans.of(one, one.early), around.settings
    if around.early is None or not len(loans.bad):
        return None, None
    awaiting = int(one.approved.sum()) - len(loans.bad)
    found = observe(around.early.definition, loans.bad, loans.probability, awaiting, settings)
    return found, _against(yardstick, loans, settings)


def later_contradictions(
    decisions: Sequence[Decisions], later: Outcomes, earlier: EarlierLoans | None, settings: PerformanceSettings
) -> dict[str, Contradiction | None]:
    """Return by period how outcomes that come after the early read compare with those of earlier vintages.

    The decisions have them in the place of early outcomes.
    """
    known = known_of(decisions, earlier, later).early
    return {
        one.period: _against(yardstick_before(one.period, known, settings), Loans.of(one, one.early), settings)
        for one in decisions
    }


def _against(yardstick: Yardstick | None, loans: Loans, settings: PerformanceSettings) -> Contradiction | None:
    """Return how outcomes compare with those of earlier vintages; None where these, or they, are too few."""
    if yardstick is None or not len(loans.bad):
        return None
    return contradiction(
        loans.bad,
        loans.probability,
        yardstick.recalibration,
        between=yardstick.between,
        judges_level=len(yardstick.periods) >= settings.least_vintages_for_level,
        expected_from=f"the early outcomes of {yardstick.told}",
        settings=settings,
    )


def _matured(
    one: Decisions, loans: Loans, around: Surroundings, known: KnownSoFar
) -> tuple[Observed | None, Contradiction | None]:
    if around.full is None or not len(loans.bad):
        return None, None
    awaiting = int(one.approved.sum()) - len(loans.bad)
    found = observe(around.full.definition, loans.bad, loans.probability, awaiting, around.settings)
    yardstick = yardstick_before(one.period, known.full, around.settings)
    if yardstick is not None and len(yardstick.periods) < around.settings.least_vintages_for_level:
        yardstick = None  # too few to say what the PDs' level is: they are taken at their word
    says = contradiction(
        loans.bad,
        loans.probability,
        None if yardstick is None else yardstick.recalibration,
        between=level_between(one.period, known.full, None) if yardstick is None else yardstick.between,
        judges_level=True,
        expected_from="the PDs" if yardstick is None else f"the outcomes of {yardstick.told}",
        settings=around.settings,
    )
    return found, says
