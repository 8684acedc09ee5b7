"""Settings of a marketplace's raw tables and of the verb prepare: the schema behind conf/prepare.yaml."""

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
"""No currency has more than four decimals; with more than six, amounts could exceed int64."""


class Money(Enum):
    """The unit of amounts: `minor` for 1234 cents, `major` for 12.34."""

    minor = "minor"
    major = "major"


@dataclass
class TableMapping:
    """The files and column names of one table.

    `path` is a file, or a folder of files (.parquet or .csv), below `raw.folder`; by default the folder or file with
    the name of the table. `columns` maps column names of the contract to the user's names; other columns keep their
    names. `time_zone` overrides `raw.time_zone`.
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
    """A folder of a marketplace's Parquet or CSV files.

    `time_zone` (IANA, e.g. Europe/Berlin) is that of times written without one; if it is not set, such times stop the
    run. `money=major` reads 12.34 as 1234 minor units at `decimals=2`; a finer amount breaks its contract. `currency`
    is the required value of a column `currency`. `max_quarantined` is the share of a table's rows that may break the
    contract before the run stops.
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
        """Decimals of amounts in the files."""
        return self.decimals if self.money is Money.major else 0

    def zone_of(self, table: str) -> str | None:
        """Return the time zone for a table's times that are written without one."""
        return self.tables.of(table).time_zone or self.time_zone

    def check(self) -> None:
        """Raise ConfigurationError for a share or decimals out of range."""
        if not 0 <= self.max_quarantined <= 1:
            raise ConfigurationError(
                f"raw.max_quarantined is {self.max_quarantined}; set a share from 0 to 1, such as 0.1"
            )
        if not 0 <= self.decimals <= MOST_DECIMALS:
            raise ConfigurationError(
                f"raw.decimals is {self.decimals}; set 0 to {MOST_DECIMALS} (most currencies have 2)"
            )


class Engine(Enum):
    """The engine that groups the rows of a customer: DuckDB in this process, or Spark."""

    duckdb = "duckdb"
    spark = "spark"


@dataclass
class ReferenceLoan:
    """The loan that every customer of the book is assumed to apply for: `amount` in minor units, `term` in months.

    `hour` is the hour of the day, in the shoppers' time zone, of an `observed_at` without a time. `basket_category` is
    the category of the financed order; it is missing by default.
    """

    amount: int = 10_000
    term: int = 6
    hour: int = 12
    basket_category: str | None = None


@dataclass
class PrepareSettings(VerbSettings):
    """Makes a training table, or the features of the whole book, from raw tables, below lake/`name`.

    `raw` describes the raw tables, `loan` is the loan contract, `features` selects the features. `memory` limits
    DuckDB and Spark's Java process (such as 4GB); `threads` is the number of buckets prepared at once, each in a
    process of its own.

    With `population=book` the table has one row for each customer registered before `observed_at` (an ISO date or
    time; UTC unless it has a zone), with the features of an application made then for the `reference` loan. Of the
    loan contract, the book uses only the feature lag.
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
    """Raise ConfigurationError for an invalid folder name, number of threads or memory limit."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", settings.name):
        raise ConfigurationError(f"name is '{settings.name}', which is not a folder name; use letters and digits")
    if settings.threads < 1:
        raise ConfigurationError(f"threads is {settings.threads}; set at least 1, for example threads=2")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B", settings.memory):
        raise ConfigurationError(f"memory is '{settings.memory}'; write a size such as 4GB or 512MB")
