"""Settings of a marketplace's raw tables and of the verb prepare: the schema behind conf/prepare.yaml."""

import re
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

from omegaconf import MISSING

from pipelines.command.names import check_name
from pipelines.command.verb import VerbSettings
from pipelines.credit.loan import LoanContract
from pipelines.credit.population import Population
from pipelines.engine.spark_settings import SparkSettings
from pipelines.errors import ConfigurationError
from pipelines.features.settings import FeatureSettings
from pipelines.reading.settings import TextSettings

MOST_DECIMALS = 6
"""No currency has more than four decimals; with more than six, amounts could exceed int64."""


class Money(Enum):
    """The unit of amounts: `minor` for 1234 cents, `major` for 12.34."""

    minor = "minor"
    major = "major"


@dataclass
class TableMapping(TextSettings):
    """Where a table is, how its text files are divided and how its columns are named."""

    path: str | None = None
    """File, or folder of Parquet or text files (.csv, .tsv, also .gz), below `raw.folder`, or their address such as
    s3://BUCKET/FOLDER; by default the file or folder named as the table."""
    sql: str | None = None
    """One SELECT over the files of `raw.folder` or on `raw.database`, or the name of a .sql file in the folder, in
    place of a path."""
    columns: dict[str, Any] = field(default_factory=dict)
    """Name in the contract: name in your file, or a mapping with from, value, map, unit or format; other columns keep
    their name."""
    time_zone: str | None = None
    """Overrides `raw.time_zone` for this table."""

    @property
    def has_source(self) -> bool:
        """Whether a path or a SELECT is set."""
        return self.path is not None or self.sql is not None


@dataclass
class TableMappings:
    """One mapping for each table of a marketplace."""

    customers: TableMapping = field(default_factory=TableMapping)
    """Mapping of the customers."""
    orders: TableMapping = field(default_factory=TableMapping)
    """Mapping of the orders."""
    applications: TableMapping = field(default_factory=TableMapping)
    """Mapping of the applications."""
    instalments: TableMapping = field(default_factory=TableMapping)
    """Mapping of the instalments."""
    own_applications: TableMapping = field(default_factory=TableMapping)
    """Applications of your own, to which purchase features are joined; set its path or sql."""

    def of(self, table: str) -> TableMapping:
        """Return the mapping of a table, the usual one for a table without."""
        mapping = getattr(self, table, None)
        return mapping if isinstance(mapping, TableMapping) else TableMapping()


@dataclass
class RawSettings(TextSettings):
    """A folder of a marketplace's own Parquet or text files."""

    folder: str = MISSING
    """Folder of the raw tables, or its address such as s3://BUCKET/FOLDER."""
    database: str | None = None
    """SQLAlchemy address of a database on which the SELECTs of `raw.tables` run, in place of the files of `folder`; its
    password comes from the environment: PGPASSWORD, or ${oc.env:NAME} for the whole address."""
    time_zone: str | None = None
    """IANA time zone of times that are written without one, for example Europe/Berlin; without it such times stop the
    run."""
    money: Money = Money.minor
    """Whether amounts are written in minor units (1234) or in major units (12.34)."""
    decimals: int = 2
    """Decimals of an amount in major units."""
    currency: str | None = None
    """Value that a column `currency` must hold."""
    max_quarantined: float = 0.1
    """Share of a table's rows that may break the contract before the run stops."""
    never: list[str] = field(default_factory=list)
    """Beginnings of times that mean never, such as 9999-12-31; they are read as missing."""
    tables: TableMappings = field(default_factory=TableMappings)
    """Mapping of each table."""

    @property
    def scale(self) -> int:
        """Decimals of amounts in the files."""
        return self.decimals if self.money is Money.major else 0

    def zone_of(self, table: str) -> str | None:
        """Return the time zone for a table's times that are written without one."""
        return self.tables.of(table).time_zone or self.time_zone

    def text_of(self, table: str) -> tuple[str, TextSettings]:
        """Return how the text files of a table are divided, and where that is set: for the table, or for all."""
        mapping = self.tables.of(table)
        usual = TextSettings()
        if any(getattr(mapping, one.name) != getattr(usual, one.name) for one in fields(usual)):
            return f"raw.tables.{table}", mapping
        return "raw", self

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
    """The loan that every customer of a book is assumed to apply for."""

    amount: int = 10_000
    """Amount in minor units."""
    term: int = 6
    """Term, one of loan.terms."""
    hour: int = 12
    """Hour of the day, in the shoppers' time zone, of an `observed_at` without a time."""
    basket_category: str | None = None
    """Category of the order that the loan would finance; none by default."""


@dataclass
class PrepareSettings(VerbSettings):
    """Settings of `thinfile prepare`."""

    name: str = "marketplace"
    """Folder below lake/ for the prepared tables."""
    check: bool = False
    """Show the mapped tables, their ranges and broken rules, and write nothing."""
    population: Population = Population.applications
    """Applications, or the book: every customer under a declared reference loan."""
    observed_at: str | None = None
    """Date or time at which the book is observed (ISO, UTC unless it names a zone)."""
    reference: ReferenceLoan = field(default_factory=ReferenceLoan)
    """Loan that every customer of a book is assumed to apply for."""
    raw: RawSettings = field(default_factory=RawSettings)
    """The raw tables."""
    loan: LoanContract = MISSING
    """What a default is and when it is known."""
    features: FeatureSettings = MISSING
    """What is computed from the history of a customer."""
    engine: Engine = Engine.duckdb
    """What brings the rows of a customer together."""
    threads: int = 2
    """Buckets processed at once, in a process each."""
    memory: str = "3GB"
    """Memory limit of DuckDB, and of Spark's Java, such as 4GB."""
    spark: SparkSettings = field(default_factory=SparkSettings)
    """Which Spark, with engine=spark."""


def check_resources(settings: PrepareSettings) -> None:
    """Raise RequestError for an invalid name, number of threads or memory limit."""
    check_name("name", settings.name)
    if settings.threads < 1:
        raise ConfigurationError(f"threads is {settings.threads}; set at least 1, for example threads=2")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B", settings.memory):
        raise ConfigurationError(f"memory is '{settings.memory}'; write a size such as 4GB or 512MB")
