"""Performance by vintage from decisions and the outcomes known so far."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.outcomes.contradictions import Contradiction
from monitoring.outcomes.decisions import Decisions, by_period, decided_by
from monitoring.outcomes.earlier_loans import EarlierLoans
from monitoring.outcomes.immaturity import Immaturity, possible_immaturity
from monitoring.outcomes.outcomes import Outcomes
from monitoring.outcomes.reconciliation import PastError, past_errors
from monitoring.outcomes.settings import PerformanceSettings
from monitoring.outcomes.stored_estimates import StoredEstimates
from monitoring.outcomes.vintage import VintagePerformance
from monitoring.outcomes.vintage_figures import (
    VintageContext,
    VintagesByDefinition,
    compare_vintages,
    measure_vintage,
)
from monitoring.outcomes.vintage_loans import Loans, VintageCounts, vintages_of
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
    signs that outcomes are not mature, where nothing says that they are (`is_mature`). `decided_by` counts the
    decisions of all vintages by the version that made them.
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
    decided_by: Mapping[str, int] = field(default_factory=dict)

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
    version: int | None = None,
    settings: PerformanceSettings | None = None,
    earlier: EarlierLoans | None = None,
    features: pd.DataFrame | None = None,
    vintages: VintageTable | None = None,
    first_payment: Outcomes | None = None,
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
        version: the version that the report is about, and that scored the earlier loans.
        settings: confidence and floors.
        earlier: loans that the model was not fitted on, for the recalibrated estimate; in months before the decisions
            they are vintages too.
        features: the features of the decisions, indexed by application_id, for the reweighted estimate.
        vintages: the table of the vintage curves.
        first_payment: outcomes of the first payment.
        later: outcomes by another definition, of the loans that made their first payment only.
        now: the time of new estimates.

    Raises:
        DataError: a column is missing, a PD is not a probability, or an application occurs twice in a period.
    """
    settings = settings or PerformanceSettings()
    own = "" if version is None else str(version)
    context = VintageContext(early, full, stored, bands, settings, earlier, features, now or datetime.now(UTC), own)
    parts = by_period(decisions, early, full)
    reads = {"early": early, "full": full, "first_payment": first_payment, "later": later}
    counts = _known(parts, reads, earlier, own)
    compared = compare_vintages(counts, settings)
    measured = tuple(measure_vintage(one, context, counts, compared) for one in parts)
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
        decided_by=decided_by(decisions),
    )


def _known(
    parts: Sequence[Decisions], reads: Mapping[str, Outcomes | None], earlier: EarlierLoans | None, own: str
) -> VintagesByDefinition:
    """Return the vintages by each definition; `own` is the version that scored the earlier loans."""
    full = reads["full"]
    is_own = full is None or full.is_of_model
    of_full = earlier.bad if earlier is not None and is_own else None
    counts = {
        name: _counts(parts, outcomes, earlier, own, of_full if name == "full" else None)
        for name, outcomes in reads.items()
    }
    return VintagesByDefinition(**counts, full_is_of_model=is_own)


def _counts(
    parts: Sequence[Decisions],
    outcomes: Outcomes | None,
    earlier: EarlierLoans | None,
    own: str,
    of_earlier: NDArray[np.int8] | None = None,
) -> list[VintageCounts]:
    """Return the vintages by a definition as counts; of earlier loans its outcomes are looked up unless given."""
    if outcomes is None:
        return []
    codes = [outcomes.of(pa.array(one.ids), one.period) for one in parts]
    if of_earlier is None and earlier is not None and earlier.ids is not None:
        of_earlier = outcomes.of(pa.array(earlier.ids))
    return [one.counted for one in vintages_of(parts, codes, earlier, of_earlier, own)]


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
