"""Refuses settings that describe no marketplace, before anything is written."""

from pipelines.command.names import check_name
from pipelines.errors import ConfigurationError
from pipelines.simulation.settings import Scenario, SimulateSettings
from pipelines.simulation.world import is_on

MOST_PER_PART = 100_000
LONGEST = 240
"""Months."""


def check_settings(settings: SimulateSettings) -> None:
    """Refuse settings out of their range.

    Raises:
        RequestError: a name that is not one.
        ConfigurationError: a number out of its range; a scenario's size; months for scenarios that were not asked for;
            `none` beside another scenario.
    """
    check_name("name", settings.name)
    for name, (low, high) in _ranges(settings).items():
        value = _value(settings, name)
        if not low <= value <= high:
            raise ConfigurationError(f"{name} is {value:,}; use {low:,} to {high:,}")
    _check_scenarios(settings)


def _ranges(settings: SimulateSettings) -> dict[str, tuple[float, float]]:
    ranges: dict[str, tuple[float, float]] = {
        "seed": (0, 2**63 - 1),
        "customers": (1, 10**9),
        "months": (1, LONGEST),
        "orders_per_customer": (0.1, 1_000),
        "random_approval_share": (0, 1),
        "customers_per_part": (1, MOST_PER_PART),
        "threads": (1, 1_024),
    }
    sizes: dict[Scenario, tuple[float, float]] = {
        Scenario.mix_shift: (0.001, 10),
        Scenario.data_fault: (0.001, 1),
        Scenario.economic_shock: (-5, 5),
        Scenario.concept_change: (-3, 3),
        Scenario.fraud_ring: (0.001, 1),
    }
    return ranges | {f"{one.value}.size": limits for one, limits in sizes.items() if is_on(settings, one)}


def _value(settings: SimulateSettings, name: str) -> float:
    group, _, member = name.rpartition(".")
    return float(getattr(getattr(settings, group), member)) if group else getattr(settings, member)


def _check_scenarios(settings: SimulateSettings) -> None:
    scenarios = set(settings.scenarios)
    if Scenario.none in scenarios and len(scenarios) > 1:
        names = ", ".join(sorted(one.value for one in scenarios))
        raise ConfigurationError(f"scenarios are {names}; leave out none, which means no scenario")
    if settings.from_month is not None and not scenarios - {Scenario.none}:
        raise ConfigurationError(
            f"from_month needs a scenario, received {settings.from_month} with none; add scenarios=[economic_shock]"
        )
    if is_on(settings, Scenario.data_fault) and not settings.data_fault.faults:
        raise ConfigurationError("data_fault.faults must name a fault, received none; add one or leave data_fault out")
