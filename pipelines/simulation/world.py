"""What all parts of the simulation share: the period, the economy, and what the scenarios do from their months on."""

from dataclasses import dataclass

import numpy as np

from pipelines.errors import ConfigurationError
from pipelines.simulation.demand import day_weights
from pipelines.simulation.draws import Draws, Floats
from pipelines.simulation.period import Period, month_start, parse_month, spell_month
from pipelines.simulation.settings import Fault, Scenario, ScenarioSettings, SimulateSettings

LONGEST_TERM = 24
PERSISTENCE, INNOVATION = 0.92, 0.09
"""Of the economy: log-odds of stopping to pay, an AR(1) by calendar month; its standard deviation is about 0.23."""

YEAR = 12


@dataclass(frozen=True)
class Newcomers:
    """Customers that a scenario adds: from which moment on, and how many per customer there is (none by default)."""

    starts_at: int = 0
    size: float = 0.0


@dataclass(frozen=True)
class World:
    """The simulated world, but for its customers.

    `demand` is the cumulated weight of days from the first on, shape (days + 1,). `economy` (added to log-odds) and
    `slope` (multiplies what the latents do to them) have a value per calendar month, from the first simulated one to
    the last in which an instalment can be due.
    """

    seed: int
    period: Period
    orders_per_customer: float
    random_approval_share: float
    demand: Floats
    economy: Floats
    slope: Floats
    mix_shift: Newcomers
    fraud_ring: Newcomers
    faults: tuple[Fault, ...]
    faults_from: int
    fault_share: float


def build_world(settings: SimulateSettings) -> World:
    """Return the world that settings describe. Raises ConfigurationError for a month outside of it or a wrong size."""
    period = Period(parse_month("start", settings.start), settings.months)
    economy = _economy(settings.seed, period)
    slope = np.ones(len(economy))
    shock, change = settings.economic_shock, settings.concept_change
    if is_on(settings, Scenario.economic_shock):
        economy[from_month(settings, Scenario.economic_shock) - period.first :] += shock.size
    if is_on(settings, Scenario.concept_change):
        slope[from_month(settings, Scenario.concept_change) - period.first :] = change.size
    has_fault = is_on(settings, Scenario.data_fault)
    return World(
        seed=settings.seed,
        period=period,
        orders_per_customer=settings.orders_per_customer,
        random_approval_share=settings.random_approval_share,
        demand=np.concatenate([[0.0], np.cumsum(day_weights(period))]),
        economy=economy,
        slope=slope,
        mix_shift=_newcomers(settings, Scenario.mix_shift, settings.mix_shift.size),
        fraud_ring=_newcomers(settings, Scenario.fraud_ring, settings.fraud_ring.size),
        faults=tuple(settings.data_fault.faults) if has_fault else (),
        faults_from=month_start(from_month(settings, Scenario.data_fault)) if has_fault else 0,
        fault_share=settings.data_fault.size,
    )


def is_on(settings: SimulateSettings, scenario: Scenario) -> bool:
    """Return whether a scenario is switched on."""
    return scenario in settings.scenarios


def from_month(settings: SimulateSettings, scenario: Scenario) -> int:
    """Return the month a scenario begins with. Raises ConfigurationError for one that is not simulated."""
    own: ScenarioSettings = getattr(settings, scenario.value)
    name = "from_month" if own.from_month is None else f"{scenario.value}.from_month"
    text = own.from_month or settings.from_month
    first = parse_month("start", settings.start)
    last = first + settings.months - 1
    month = max(first, last + 1 - YEAR) if text is None else parse_month(name, text)
    if not first <= month <= last:
        raise ConfigurationError(
            f"{name} must be one of the simulated months, received '{text}'; give one from {spell_month(first)} to "
            f"{spell_month(last)}, or change start or months"
        )
    return month


def _newcomers(settings: SimulateSettings, scenario: Scenario, size: float) -> Newcomers:
    if not is_on(settings, scenario):
        return Newcomers()
    return Newcomers(month_start(from_month(settings, scenario)), size)


def _economy(seed: int, period: Period) -> Floats:
    """Return the economy by month; parts differ in their number, this stream belongs to none of them."""
    months = period.months + LONGEST_TERM + 2
    noise = Draws(seed, 0, "economy").normal("innovation", months) * INNOVATION
    noise[0] /= np.sqrt(1 - PERSISTENCE**2)
    economy = np.empty(months)
    level = 0.0
    for month in range(months):
        level = PERSISTENCE * level + noise[month]
        economy[month] = level
    return economy
