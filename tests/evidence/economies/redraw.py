"""Economies drawn again on the loans of a market, their outcomes, and what the monthly reports say of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.outcomes.contradictions import Contradiction
from monitoring.outcomes.early_reads import EARLY_READ
from monitoring.outcomes.performance import PerformanceReport
from monitoring.outcomes.settings import PerformanceSettings
from monitoring.outcomes.vintage import VintagePerformance
from monitoring.outcomes.vintage_figures import Comparisons, VintagesByDefinition, compare_vintages
from monitoring.outcomes.vintage_loans import Loans, VintageCounts
from monitoring.verdict.causes import causes_of
from monitoring.windows.months import month_from
from pipelines.credit.loan import FIRST_PAYMENT
from pipelines.simulation.period import parse_month
from pipelines.simulation.world import INNOVATION, PERSISTENCE
from tests.evidence.economies.market import FULL, Market
from tests.evidence.watched_markets import BEGINS, CHANGED

Floats = NDArray[np.float64]

LAG = {EARLY_READ: 3, FIRST_PAYMENT: 3, FULL: 12}
"""Months after which the outcomes of a vintage are known, by definition."""

FIRST_REPORT, REPORTS = "2025-01", 24
MONTH_OF_CHANGE = parse_month("changed", CHANGED) - parse_month("begins", BEGINS)


@dataclass(frozen=True)
class Scenario:
    """What happens to the economy from the change on: added log-odds of not paying, over some months, and a slope."""

    name: str
    shock: float = 0.0
    months: int = 1
    slope: float = 1.0


QUIET = Scenario("quiet")


@dataclass(frozen=True)
class Redrawn:
    """The causes that outcomes give in the report of each month, and the comparisons of all vintages."""

    causes: tuple[tuple[str, ...], ...]
    compared: Comparisons

    def first(self, cause: str, since: int = 0) -> int | None:
        """Return the first report from a place on that names a cause, counted from there, None where none does."""
        places = (place for place, causes in enumerate(self.causes[since:]) if cause in causes)
        return next(places, None)


def redraw(market: Market, scenario: Scenario, number: int, settings: PerformanceSettings | None = None) -> Redrawn:
    """Return what the reports of two years say of the outcomes in one economy; its number gives the random draws."""
    generator = np.random.default_rng([market.world.seed, number])
    economy, slope = economy_of(generator, len(market.world.economy), scenario)
    chances = market.loans.true_pds(economy, slope)
    draws = generator.random(len(market.loans.applications))
    compared = compare_vintages(counts_of(market.loans, chances, draws), settings or PerformanceSettings())
    return Redrawn(tuple(_causes(compared, place) for place in range(REPORTS)), compared)


def economy_of(generator: np.random.Generator, months: int, scenario: Scenario) -> tuple[Floats, Floats]:
    """Return an economy like that of the simulator, and the slope, by month."""
    economy = np.empty(months)
    level = generator.normal() * INNOVATION / np.sqrt(1 - PERSISTENCE**2)
    for month, noise in enumerate(generator.normal(size=months) * INNOVATION):
        economy[month] = level
        level = PERSISTENCE * level + noise
    since = np.arange(months) - MONTH_OF_CHANGE + 1
    economy += scenario.shock * np.clip(since / scenario.months, 0, 1)
    return economy, np.where(since > 0, scenario.slope, 1.0)


def counts_of(loans: Market, chances: dict[str, Floats], draws: Floats) -> VintagesByDefinition:
    """Return the vintages as counts. One draw per loan gives its outcome by each definition.

    A loan that misses its first payment is also bad by the other early definition, so that both are exact together.
    """
    first, early, full = (draws < chances[name] for name in (FIRST_PAYMENT, EARLY_READ, FULL))
    known = {name: loans.applications[f"known_{name}"].to_numpy() for name in LAG}
    return VintagesByDefinition(
        early=_vintages(loans, early, known[EARLY_READ]),
        full=_vintages(loans, full, known[FULL]),
        first_payment=_vintages(loans, first, known[FIRST_PAYMENT]),
        later=_vintages(loans, early, known[EARLY_READ] & ~first),
    )


def _vintages(loans: Market, bad: NDArray[np.bool_], known: NDArray[np.bool_]) -> list[VintageCounts]:
    codes, pds = bad.astype(np.int8), loans.applications["pd"].to_numpy()
    return [
        Loans(period, codes[rows], pds[rows], np.full(len(rows), "")).counted
        for period, rows in ((period, rows[known[rows]]) for period, rows in loans.rows_by_period.items())
        if len(rows)
    ]


def _causes(compared: Comparisons, place: int) -> tuple[str, ...]:
    """Return the causes of the report of a month."""
    period = month_from(FIRST_REPORT, place)
    decided = [month_from(FIRST_REPORT, month) for month in range(place + 1)]
    return causes_of((), (), PerformanceReport(tuple(_vintage(one, period, compared) for one in decided), (), ()))


def _vintage(vintage: str, period: str, compared: Comparisons) -> VintagePerformance:
    """Return what is known of a vintage when a month is over."""

    def of(comparisons: str, definition: str) -> Contradiction | None:
        known_until = month_from(period, -LAG[definition])
        found: Contradiction | None = getattr(compared, comparisons).get(vintage)
        return found if vintage <= known_until else None

    return VintagePerformance(
        period=vintage, scored=0, approved=0, not_approved=None, estimate=None, recalibrated=None, reweighted=None,
        early_expected=None, early=None, early_contradiction=of("early", EARLY_READ), matured=None,
        matured_contradiction=of("full", FULL), bands=(), hosmer_lemeshow=None, reconciled=(), statement="",
        first_payment_contradiction=of("first_payment", FIRST_PAYMENT), fraud_contradiction=of("fraud", EARLY_READ),
    )  # fmt: skip
