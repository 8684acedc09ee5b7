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
    """Settings of every scenario."""

    from_month: str | None = None
    """Month in which it begins, YYYY-MM; by default the `from_month` of all scenarios."""


@dataclass
class MixShiftSettings(ScenarioSettings):
    """Younger customers join and order through a new channel."""

    size: float = 0.3
    """New customers per existing customer."""


@dataclass
class DataFaultSettings(ScenarioSettings):
    """The delivery of orders to the lake is faulty; what really happened stays as it was."""

    size: float = 1.0
    """Share of the orders that are hit."""
    faults: list[Fault] = field(default_factory=lambda: [Fault.payment_method_missing])
    """What the delivery does wrong."""


@dataclass
class EconomicShockSettings(ScenarioSettings):
    """Everyone pays less reliably."""

    size: float = 0.8
    """Added to the log-odds of not paying, and of paying late, of all instalments due from then on."""


@dataclass
class ConceptChangeSettings(ScenarioSettings):
    """The causes of default change."""

    size: float = 0.0
    """Factor on the effect of income, prudence and burden on default: 1 changes nothing, 0 ends it, below 0 reverses
    it."""


@dataclass
class FraudRingSettings(ScenarioSettings):
    """Rings of customers join; each applies once and hardly any pays."""

    size: float = 0.01
    """Fraudulent customers per existing customer."""


@dataclass
class SimulateSettings(VerbSettings):
    """Settings of `thinfile simulate`."""

    name: str = "simulated"
    """Folder below lake/ for the simulated tables."""
    seed: int = 0
    """Seed of all random draws."""
    customers: int = 20_000
    """Customers at the start."""
    start: str = "2022-01"
    """First calendar month, YYYY-MM."""
    months: int = 48
    """Number of calendar months."""
    orders_per_customer: float = 20.0
    """Mean number of orders; a few resellers hold thousands each."""
    random_approval_share: float = 0.02
    """Share of the applications which the earlier policy would decline that it approves at random."""
    customers_per_part: int = 10_000
    """Customers drawn and written at a time; the drawn values depend on it."""
    threads: int = 2
    """Processes; they change the time, not the values."""
    scenarios: list[Scenario] = field(default_factory=list)
    """What happens from a given month on; scenarios combine."""
    from_month: str | None = None
    """Month in which scenarios begin, YYYY-MM; by default a year before the end."""
    mix_shift: MixShiftSettings = field(default_factory=MixShiftSettings)
    """Size and month of the mix shift."""
    data_fault: DataFaultSettings = field(default_factory=DataFaultSettings)
    """Size, month and kind of the data fault."""
    economic_shock: EconomicShockSettings = field(default_factory=EconomicShockSettings)
    """Size and month of the economic shock."""
    concept_change: ConceptChangeSettings = field(default_factory=ConceptChangeSettings)
    """Size and month of the concept change."""
    fraud_ring: FraudRingSettings = field(default_factory=FraudRingSettings)
    """Size and month of the fraud rings."""
