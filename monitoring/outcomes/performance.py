"""Performance by vintage from decisions and the outcomes known so far."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa

from monitoring.outcomes.decisions import Decisions, by_period
from monitoring.outcomes.earlier_loans import EarlierLoans
from monitoring.outcomes.expected_performance import Loans, vintage_outcomes
from monitoring.outcomes.immaturity import Immaturity, possible_immaturity
from monitoring.outcomes.observed import Contradiction
from monitoring.outcomes.outcomes import Outcomes
from monitoring.outcomes.reconciliation import PastError, past_errors
from monitoring.outcomes.settings import PerformanceSettings
from monitoring.outcomes.stored_estimates import StoredEstimates
from monitoring.outcomes.vintage import VintagePerformance
from monitoring.outcomes.vintage_figures import VintageContext, later_contradictions, measure_vintage
from pipelines.credit.vintage import VintageTable
from pipelines.credit.vintage_curve import VintageCurve, vintage_curves

SELECTION = (
    "Only approved applications have outcomes. Estimates, early reads and matured outcomes are about them alone; the "
    "PDs of the others are inferred, reported separately and never added to observed figures."
)

SELECTION_OF_EVERYONE = (
    "The table of outcomes has some of applications that were not approved. All observed outcomes are compared with "
    "the PDs; estimates and matured outcomes are about the approved alone. The PDs of applications without an outcome "
    "are inferred, reported separately and never added to observed figures."
)


@dataclass(frozen=True)
class PerformanceReport:
    """Vintages in the order of their periods, the past error of the estimates, and vintage curves.

    `selection` is to be shown with any of them. `unmatched` are the reasons why a table of outcomes could not be
    compared with any decision; `left_out` says how many outcomes are of no decision that is compared. `immaturity` are
    signs that outcomes are not mature, where nothing says that they are (`is_mature`).
    """

    vintages: tuple[VintagePerformance, ...]
    past_errors: tuple[PastError, ...]
    curves: tuple[VintageCurve, ...]
    selection: str = SELECTION
    unmatched: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    is_mature: bool = True
    immaturity: tuple[Immaturity, ...] = ()
    settings: PerformanceSettings = field(default_factory=PerformanceSettings)

    def is_contradicted(self, contradiction: Contradiction | None) -> bool:
        """Return whether outcomes contradict the PDs. Fewer defaults than expected do not if they may be immature."""
        if contradiction is None or not contradiction.found:
            return False
        return not (self.immaturity and contradiction.is_lower_level)


def measure_performance(
    decisions: pd.DataFrame | pa.Table,
    *,
    early: Outcomes | None,
    full: Outcomes | None,
    stored: StoredEstimates,
    bands: Sequence[str],
    settings: PerformanceSettings | None = None,
    earlier: EarlierLoans | None = None,
    features: pd.DataFrame | None = None,
    vintages: VintageTable | None = None,
    later: Outcomes | None = None,
    now: datetime | None = None,
) -> PerformanceReport:
    """Return the performance of each vintage (period) of decisions, as far as outcomes are known.

    Args:
        decisions: a row per application, of any periods, with application_id, pd, band, decision and period as in the
            score log.
        early: outcomes by an early definition, such as 30+ days past due at 3 months on book.
        full: outcomes by the definition of the PD.
        stored: the estimates made so far; one that is stored is not made again.
        bands: the names of the policy's bands in their order.
        settings: confidence and floors.
        earlier: loans that the model was not fitted on, for the recalibrated estimate. Those of months before the
            decisions are vintages too: the expectation for later ones is fitted on them.
        features: the features of the decisions, indexed by application_id. With the features of the earlier loans they
            give the reweighted estimate.
        vintages: the table of the vintage curves.
        later: outcomes by a third definition, of the loans that are good by the early one only. They distinguish
            failures of the first payment from failures of all payments.
        now: the time of new estimates.

    Raises:
        DataError: a column is missing, a PD is not a probability, or an application occurs twice in a period.
    """
    settings = settings or PerformanceSettings()
    context = VintageContext(early, full, stored, bands, settings, earlier, features, now or datetime.now(UTC))
    parts = by_period(decisions, early, full)
    outcomes = vintage_outcomes(parts, earlier, early)
    measured = tuple(measure_vintage(one, context, outcomes) for one in parts)
    if later is not None:
        by_later = later_contradictions(by_period(decisions, later, None), later, earlier, settings)
        measured = tuple(_with_later(measured, by_later))
    curves = () if vintages is None else vintage_curves(vintages, confidence=settings.confidence)
    selection = SELECTION_OF_EVERYONE if any(one.everyone is not None for one in measured) else SELECTION
    immaturity = tuple(_immaturity(parts, early, full))
    return PerformanceReport(
        tuple(_with_doubt(one, immaturity) for one in measured),
        past_errors(measured),
        curves,
        selection,
        is_mature=all(one is None or one.is_mature for one in (early, full)),
        immaturity=immaturity,
        settings=settings,
    )


def _immaturity(parts: Sequence[Decisions], early: Outcomes | None, full: Outcomes | None) -> Iterator[Immaturity]:
    if full is not None and not full.is_mature:
        sign = possible_immaturity(full.definition, [Loans.of(one, one.full) for one in parts])
        yield from () if sign is None else (sign,)
    if early is not None and not early.is_mature:
        sign = possible_immaturity(early.definition, [Loans.of(one, one.early) for one in parts])
        yield from () if sign is None else (sign,)


def _with_doubt(vintage: VintagePerformance, immaturity: Sequence[Immaturity]) -> VintagePerformance:
    """Return a vintage with the doubt about its outcomes in its statement."""
    has_outcomes = vintage.matured is not None or vintage.everyone is not None or vintage.early is not None
    if not has_outcomes or all(vintage.period < one.since for one in immaturity):
        return vintage
    return replace(vintage, statement=f"{vintage.statement}; these outcomes are possibly immature")


def _with_later(
    vintages: Sequence[VintagePerformance], contradictions: Mapping[str, Contradiction | None]
) -> Iterator[VintagePerformance]:
    """Yield vintages with the comparison of later outcomes, that of the vintage before where these are too few."""
    newest: Contradiction | None = None
    for one in vintages:
        newest = contradictions[one.period] or newest
        yield replace(one, later_contradiction=newest)
