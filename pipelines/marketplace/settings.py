"""What a user says about a folder of tables: where each lies, what its columns are called, and their units."""

import re
from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from pipelines.command.verb import VerbSettings
from pipelines.credit.loan import LoanContract
from pipelines.credit.population import Population
from pipelines.errors import ConfigurationError
from pipelines.features.settings import FeatureSettings

MOST_DECIMALS = 6
"""No currency has more than four; beyond six an amount would leave int64 too soon."""


class Money(Enum):
    """How amounts are written: `minor` are whole cents, `major` are 12.34."""

    minor = "minor"
    major = "major"


@dataclass
class TableMapping:
    """Where a table lies and what its columns are called.

    `path` is a file, or a folder of files (.parquet or .csv), below `raw.folder`; by default the folder, or the file,
    that is named as the table. `columns` maps a name of the contract to the user's own; the others keep their name.
    `time_zone` overrides `raw.time_zone`.
    """

    path: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    time_zone: str | None = None


@dataclass
class TableMappings:
    """One mapping for each table of a marketplace."""

    customers: TableMapping = field(default_factory=TableMapping)
    orders: TableMapping = field(default_factory=TableMapping)
    applications: TableMapping = field(default_factory=TableMapping)
    instalments: TableMapping = field(default_factory=TableMapping)

    def of(self, table: str) -> TableMapping:
        """Return the mapping of the table of a contract."""
        mapping = getattr(self, table)
        assert isinstance(mapping, TableMapping)
        return mapping


@dataclass
class RawSettings:
    """A folder of a marketplace's own Parquet or CSV files.

    `time_zone` (IANA, e.g. Europe/Berlin) is that of times written without one; with none given such times stop the
    run. `money=major` takes 12.34 for 1234 minor units at `decimals=2`; an amount finer than that breaks its contract.
    `currency` is the one that a column `currency` must hold. `max_quarantined` is the share of a table's rows that may
    break the contract before the run stops.
    """

    folder: str = MISSING
    time_zone: str | None = None
    money: Money = Money.minor
    decimals: int = 2
    currency: str | None = None
    max_quarantined: float = 0.1
    tables: TableMappings = field(default_factory=TableMappings)

    @property
    def scale(self) -> int:
        """Decimals of an amount as it is written."""
        return self.decimals if self.money is Money.major else 0

    def zone_of(self, table: str) -> str | None:
        """Return the time zone of a table's times that are written without one."""
        return self.tables.of(table).time_zone or self.time_zone

    def check(self) -> None:
        """Raise a ConfigurationError for a share outside [0, 1] or decimals that no currency has."""
        if not 0 <= self.max_quarantined <= 1:
            raise ConfigurationError(
                f"raw.max_quarantined is a share, received {self.max_quarantined}; use for example 0.1"
            )
        if not 0 <= self.decimals <= MOST_DECIMALS:
            raise ConfigurationError(
                f"raw.decimals must lie between 0 and {MOST_DECIMALS}, received {self.decimals}; most currencies have 2"
            )


class Engine(Enum):
    """What brings the rows of a customer together: DuckDB in this process, or Spark."""

    duckdb = "duckdb"
    spark = "spark"


@dataclass
class ReferenceLoan:
    """What every customer of the book is taken to ask for: `amount` in minor units, `term` in months.

    `hour` is the hour of the day, on the shoppers' clocks, at which an `observed_at` without a time is taken to be.
    `basket_category` is that of the order it would finance; by default nothing is said of it.
    """

    amount: int = 10_000
    term: int = 6
    hour: int = 12
    basket_category: str | None = None


@dataclass
class PrepareSettings(VerbSettings):
    """From raw tables to a training table, or to the features of the whole book, below lake/`name`.

    `raw` says where the tables lie, `loan` what a default is and when it is known, `features` what is said of a
    history. `memory` bounds DuckDB, and Spark's Java (DuckDB's spelling, such as 4GB); `threads` works on so many
    buckets at once, in a process each.

    With `population=book` the table has one row for each customer who was registered before `observed_at` (an ISO date
    or time; UTC unless it names a zone), with the features of an application made then for the `reference` loan. Of the
    loan contract only the feature lag counts there.
    """

    name: str = "marketplace"
    population: Population = Population.applications
    observed_at: str | None = None
    reference: ReferenceLoan = field(default_factory=ReferenceLoan)
    raw: RawSettings = field(default_factory=RawSettings)
    loan: LoanContract = MISSING
    features: FeatureSettings = MISSING
    engine: Engine = Engine.duckdb
    threads: int = 2
    memory: str = "3GB"


def check_resources(settings: PrepareSettings) -> None:
    """Raise ConfigurationError for a name that is no folder, fewer than one thread, or a memory limit that is none."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", settings.name):
        raise ConfigurationError(f"name must be that of a folder, received '{settings.name}'; use letters and digits")
    if settings.threads < 1:
        raise ConfigurationError(f"threads must be at least 1, received {settings.threads}; use for example threads=2")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B", settings.memory):
        raise ConfigurationError(f"memory is written as 4GB or 512MB, received '{settings.memory}'; correct memory")
