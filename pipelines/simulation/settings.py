"""What a user can set about the simulated marketplace: the schema behind conf/simulate.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from pipelines.command.verb import VerbSettings


class Scenario(Enum):
    """What happens to the simulated marketplace from a given month on; any of them combine."""

    none = "none"
    mix_shift = "mix_shift"
    data_fault = "data_fault"
    economic_shock = "economic_shock"
    concept_change = "concept_change"
    fraud_ring = "fraud_ring"


class Fault(Enum):
    """What the delivery of orders to the lake does wrong; what really happened stays as it was."""

    payment_method_missing = "payment_method_missing"
    amount_in_major_units = "amount_in_major_units"


@dataclass
class ScenarioSettings:
    """`from_month` (YYYY-MM) is when it begins, by default the `from_month` of all scenarios."""

    from_month: str | None = None


@dataclass
class MixShiftSettings(ScenarioSettings):
    """So many younger customers join, per customer there is, and they and others order through a new channel."""

    size: float = 0.3


@dataclass
class DataFaultSettings(ScenarioSettings):
    """`size` is the share of orders hit by each of the `faults`."""

    size: float = 1.0
    faults: list[Fault] = field(default_factory=lambda: [Fault.payment_method_missing])


@dataclass
class EconomicShockSettings(ScenarioSettings):
    """`size` is added to the log-odds of not paying, and of paying late, of all that is due from then on."""

    size: float = 0.8


@dataclass
class ConceptChangeSettings(ScenarioSettings):
    """`size` multiplies what income, prudence and burden do to default: 1 leaves it, 0 ends it, below 0 it turns."""

    size: float = 0.0


@dataclass
class FraudRingSettings(ScenarioSettings):
    """So many customers join in rings, per customer there is; each applies once and hardly any pays at all."""

    size: float = 0.01


@dataclass
class SimulateSettings(VerbSettings):
    """A simulated marketplace of `customers` over `months` calendar months from `start` on.

    `name` is the folder below lake/. `orders_per_customer` is a mean: a few resellers hold thousands of orders each.
    The earlier credit policy approves by lot `random_approval_share` of those it would decline. A part of
    `customers_per_part` customers is drawn and written at a time, so it belongs to what the seed means; `threads`
    does not: it changes the time alone. Scenarios begin with `from_month`, by default a year before the end.
    """

    name: str = "simulated"
    seed: int = 0
    customers: int = 20_000
    start: str = "2022-01"
    months: int = 48
    orders_per_customer: float = 20.0
    random_approval_share: float = 0.02
    customers_per_part: int = 10_000
    threads: int = 2
    scenarios: list[Scenario] = field(default_factory=list)
    from_month: str | None = None
    mix_shift: MixShiftSettings = field(default_factory=MixShiftSettings)
    data_fault: DataFaultSettings = field(default_factory=DataFaultSettings)
    economic_shock: EconomicShockSettings = field(default_factory=EconomicShockSettings)
    concept_change: ConceptChangeSettings = field(default_factory=ConceptChangeSettings)
    fraud_ring: FraudRingSettings = field(default_factory=FraudRingSettings)
