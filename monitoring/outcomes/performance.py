"""Performance by vintage from decisions and the outcomes known so far: the entry point of this package."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa

from monitoring.outcomes.decisions import by_period
from monitoring.outcomes.expected_performance import known_of
from monitoring.outcomes.observed import Contradiction
from monitoring.outcomes.outcomes import Outcomes
from monitoring.outcomes.reconciliation import PastError, past_errors
from monitoring.outcomes.reweighting import EarlierLoans
from monitoring.outcomes.settings import PerformanceSettings
from monitoring.outcomes.stored_estimates import KeptEstimates
from monitoring.outcomes.vintage import VintagePerformance
from monitoring.outcomes.vintage_figures import Surroundings, later_contradictions, measure_vintage
from pipelines.credit.vintage import VintageTable
from pipelines.credit.vintage_curve import VintageCurve, vintage_curves

SELECTION = (
    "Only approved applications have outcomes. Estimates, early reads and the truth are about them alone; what PDs say "
    "of the others is inferred, stands apart and is never added to what was observed."
)


@dataclass(frozen=True)
class PerformanceReport:
    """Vintages in the order of their periods, the past error of the estimates, and vintage curves.

    `selection` is to be shown with any of it.
    """

    vintages: tuple[VintagePerformance, ...]
    past_errors: tuple[PastError, ...]
    curves: tuple[VintageCurve, ...]
    selection: str = SELECTION


def measure_performance(
    decisions: pd.DataFrame | pa.Table,
    *,
    early: Outcomes | None,
    full: Outcomes | None,
    kept: KeptEstimates,
    bands: Sequence[str],
    settings: PerformanceSettings | None = None,
    earlier: EarlierLoans | None = None,
    features: pd.DataFrame | None = None,
    vintages: VintageTable | None = None,
    later: Outcomes | None = None,
    now: datetime | None = None,
) -> PerformanceReport:
    """Return the performance of each vintage (period) of decisions, as far as outcomes are known.

    `decisions` have a row per application, of any periods, with application_id, pd, band, decision and period, as the
    score log has them. `full` are outcomes by the definition that the PD is about; `early` those by an earlier one,
    such as 30+ days past due at 3 months on book. Estimates are kept in `kept`: one that is there is not made again.
    `bands` are the policy's band names in their order.

    With `earlier` loans the recalibrated variant is made too, and with their features and the `features` of the
    decisions (indexed by application_id) the reweighted one. Those of months before the decisions are vintages too:
    what is expected of later ones is learnt from them. `vintages` give the vintage curves. `later` are outcomes by a
    third definition of those loans alone that are good by the early one: they tell a fault of the first payment from a
    fault of all payments.

    Raises:
        DataError: a column is not there, a PD is no probability, or an application is there twice in a period.
    """
    chosen = settings or PerformanceSettings()
    around = Surroundings(early, full, kept, bands, chosen, earlier, features, now or datetime.now(UTC))
    parts = by_period(decisions, early, full)
    known = known_of(parts, earlier, early)
    found = tuple(measure_vintage(one, around, known) for one in parts)
    if later is not None:
        found = tuple(
            _with_later(found, later_contradictions(by_period(decisions, later, None), later, earlier, chosen))
        )
    curves = () if vintages is None else vintage_curves(vintages, confidence=chosen.confidence)
    return PerformanceReport(found, past_errors(found), curves)


def _with_later(
    vintages: Sequence[VintagePerformance], says: Mapping[str, Contradiction | None]
) -> Iterator[VintagePerformance]:
    """Yield vintages with what later outcomes say; where their own are too few, those of the vintage before."""
    newest: Contradiction | None = None
    for one in vintages:
        newest = says[one.period] or newest
        yield replace(one, later_contradiction=newest)
