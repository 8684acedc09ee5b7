"""The settings of outcomes: where they come from, and how performance is judged from them."""

from dataclasses import dataclass, field

from monitoring.outcomes.early_reads import EARLY_READ
from pipelines.reading.settings import ReadingSettings


@dataclass
class PerformanceSettings:
    """How outcomes are judged."""

    confidence: float = 0.95
    """Confidence of intervals and of tests by band."""
    level: float = 0.05
    """Error budget of a year, of all tests: outcomes of an unchanged market contradict the model at most so often in a
    year, on average; 0.05 is once in twenty years."""
    least_of_each: int = 20
    """Bad and good loans below which there is no AUC, KS or test."""
    ranking_floor: float = 0.03
    """Smallest change of AUC that counts."""
    level_floor: float = 1.25
    """Smallest factor of the bad rate that counts, either way."""
    yardstick_vintages: int = 12
    """Vintages from which the outcomes to expect of a PD are learnt."""
    least_vintages_for_level: int = 12
    """Vintages below which a change of level is not judged."""
    reconcile_from: float = 0.5
    """Share of the approved with known outcomes from which estimates are compared with them."""
    groups: int = 10
    """Groups of the calibration by PD."""


@dataclass
class OutcomeSettings(ReadingSettings):
    """Where outcomes come from: a prepared marketplace, or flat tables."""

    marketplace: str | None = None
    """Folder of a prepared marketplace below lake/."""
    early: str = EARLY_READ
    """Definition of the early read, or `contract` for that of the marketplace's loan contract; of an `early_table` the
    name of its outcomes, by default its column."""
    full: str | None = None
    """Definition of matured outcomes, by default that of the model's record; another one is compared with earlier
    vintages only. Of a `table` the name of its outcomes, by default its column."""
    table: str | None = None
    """Table of outcomes by the definition of the PD."""
    early_table: str | None = None
    """Table of early outcomes."""
    id: str = "application_id"
    """Column of the application's id in these tables."""
    bad: str = "bad"
    """Column of the outcome in the values of the model's label, or 1 and 0; empty while it is unknown."""
    bad_value: str | None = None
    """Value of that column that means default; by default that of the model's label, or 1."""
    performance_months: int | None = None
    """Months in which a loan can turn bad: outcomes in a `table` of younger applications count as unknown. By default
    those of the model's data."""
    as_of: str | None = None
    """Date until which outcomes are known; by default the end of the window, of a `table` today."""
    performance: PerformanceSettings = field(default_factory=PerformanceSettings)
    """How outcomes are judged."""
