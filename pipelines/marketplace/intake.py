"""The intake: reads a folder of a user's files into clean, bucketed tables and a quarantine."""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.command.progress import progress
from pipelines.engine.duckdb_engine import connect
from pipelines.erasures.record import Erasures
from pipelines.marketplace.buckets import CLEAN
from pipelines.marketplace.intake_run import IntakeRun, TableIntake
from pipelines.marketplace.loan_rules import LoanRules
from pipelines.marketplace.mapping import MappedTable, check_settings
from pipelines.marketplace.quarantine import QUARANTINE
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.sources import TableSource, find_sources, fingerprint_sources
from pipelines.marketplace.staging import (
    explained_shortage,
    named_files,
    one_currency,
    staged_tables,
    without_erased,
)
from pipelines.marketplace.table_sql import Resources
from pipelines.secrets.private_files import make_folder
from pipelines.storage.atomic_files import scratch_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = logging.getLogger(__name__)

TRAINING_TABLES = ("customers", "orders", "applications", "instalments")
BOOK_TABLES = ("customers", "orders")
"""The tables that a training table and a book need."""


@dataclass(frozen=True)
class Intake:
    """The intake of each table, and the currency of all amounts where the tables or the settings name it."""

    tables: Mapping[str, TableIntake]
    currency: str | None


def run_intake(
    raw: RawSettings,
    into: Path,
    *,
    buckets: int,
    threads: int,
    memory_limit: str,
    required: Collection[str] = TRAINING_TABLES,
    erasures: Erasures | None = None,
    rules: LoanRules | None = None,
) -> Intake:
    """Write into/clean/<table>/bucket=<n>/*.parquet and into/quarantine/<table>.parquet, all of them or none.

    Tables that are not `required` may be missing and are empty then. Rows of people in `erasures` are left out and
    counted. `rules` are those of the loan contract; by default those of monthly loans.

    Raises:
        ConfigurationError: see `check_settings`.
        DataError: a table is missing, empty or unreadable, or its columns are not those of its contract (`map_table`);
            amounts are in two currencies; times have no zone; more than `raw.max_quarantined` of a table's rows are
            broken; files change while they are read.
        ThinfileError: memory or disk is exhausted.
    """
    opened = opened_tables(raw, into.parent, required, threads, memory_limit, erasures or Erasures())
    with opened as tables, progress("tables", len(tables.tables), log) as advance:
        run = IntakeRun(
            tables.connection, raw, rules or LoanRules(), tables.tables, buckets, tables.scratch / "whole", advance
        )
        counts = run.all_tables()
        fingerprints = fingerprint_sources(tables.sources, threads)
        _move_into_place(run.folder, into, tables.scratch)
    return Intake(
        {name: TableIntake(**table, fingerprint=fingerprints.get(name, "")) for name, table in counts.items()},
        tables.currency,
    )


@dataclass(frozen=True)
class OpenedTables:
    """The tables of a folder, ready to be checked on a connection, and their currency."""

    connection: "DuckDBPyConnection"
    scratch: Path
    sources: Mapping[str, TableSource]
    tables: Mapping[str, MappedTable]
    currency: str | None


@contextmanager
def opened_tables(
    raw: RawSettings, beside: Path, required: Collection[str], threads: int, memory_limit: str, erasures: Erasures
) -> Iterator[OpenedTables]:
    """Open the tables of a folder, with temporary files in a folder `beside`. Raises as `run_intake` does."""
    with (
        scratch_folder(beside) as scratch,
        connect(threads, memory_limit, scratch) as connection,
        explained_shortage(memory_limit),
    ):
        check_settings(connection, raw)
        sources = find_sources(raw, required)
        resources = Resources(threads, memory_limit, scratch)
        staged = without_erased(connection, staged_tables(connection, raw, sources, resources), erasures)
        tables = {table.contract.name: table for table in staged}
        with named_files(connection, {name: table.files for name, table in tables.items()}):
            yield OpenedTables(connection, scratch, sources, tables, one_currency(connection, raw, staged))


def _move_into_place(folder: Path, into: Path, scratch: Path) -> None:
    """Replace earlier tables by new ones. The clean tables come last, so that they never exist without a quarantine."""
    make_folder(into)
    for part in (QUARANTINE, CLEAN):
        if (into / part).exists():
            (into / part).replace(scratch / f"earlier-{part}")
        (folder / part).replace(into / part)
