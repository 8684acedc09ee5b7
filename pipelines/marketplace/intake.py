"""The intake: a folder of a user's own files becomes clean, bucketed tables, and a quarantine.

Tables are judged in an order: customers; orders and applications, which name a customer; instalments, which name an
application. What names a row in quarantine goes to quarantine with it. A loan is whole or in quarantine: when one of
its instalments is, so is the application, and then all its other instalments; half a schedule would give a wrong label.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.command.progress import Advance, progress
from pipelines.engine.duckdb_engine import connect
from pipelines.erasures.record import Erasures
from pipelines.errors import DataError
from pipelines.marketplace.buckets import CLEAN, bucket_of_customer, write_buckets
from pipelines.marketplace.conversion import converted, ids_as_text, readings
from pipelines.marketplace.keys import find_repeated
from pipelines.marketplace.mapping import MappedTable, check_settings, parquet
from pipelines.marketplace.quarantine import QUARANTINE, Quarantine
from pipelines.marketplace.raw_files import fingerprint_raw
from pipelines.marketplace.rules import (
    BROKEN_LOAN,
    BROKEN_SCHEDULE,
    NO_INSTALMENTS,
    PAID_TOO_EARLY,
    UNKNOWN_APPLICATION,
    UNKNOWN_CUSTOMER,
    Check,
    own_checks,
    repeated_key,
)
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.staging import faults_named, one_currency, shortage_told, staged_tables
from pipelines.marketplace.survey import survey
from pipelines.marketplace.tables import APPROVED
from pipelines.marketplace.without_erased import without_erased
from pipelines.storage.atomic_files import scratch_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TableIntake:
    """What came of one table: rows read and clean, rows in quarantine by rule, the SHA-256 of its files.

    `latest` and `levels` are those of the clean rows (see `Survey`). `erased` rows of people who were erased were left
    out, and are not among those read.
    """

    rows: int
    clean: int
    quarantined: Mapping[str, int]
    latest: Mapping[str, str]
    levels: Mapping[str, Mapping[str, int]]
    fingerprint: str
    erased: int = 0


@dataclass(frozen=True)
class Intake:
    """What came of a folder, by table, and the one currency of its amounts when it is told."""

    tables: Mapping[str, TableIntake]
    currency: str | None


def take_in(
    raw: RawSettings,
    into: Path,
    *,
    buckets: int,
    threads: int,
    memory_limit: str,
    erasures: Erasures | None = None,
) -> Intake:
    """Write into/clean/<table>/bucket=<n>/*.parquet and into/quarantine/<table>.parquet, whole or not at all.

    Rows of people whom `erasures` names are left out and counted.

    Raises:
        ConfigurationError: see `check_settings`.
        DataError: a table is missing, empty or unreadable, or its columns are not those of its contract (`map_table`);
            amounts in two currencies; times without a zone; more than `raw.max_quarantined` of a table's rows broken;
            files that change while they are read.
        ThinfileError: not enough memory or disk.
    """
    with (
        scratch_folder(into.parent) as scratch,
        connect(threads, memory_limit, scratch) as connection,
        shortage_told(memory_limit),
    ):
        check_settings(connection, raw)
        fingerprints = fingerprint_raw(raw, threads)
        staged = without_erased(connection, staged_tables(connection, raw, scratch), erasures or Erasures())
        tables = {table.contract.name: table for table in staged}
        named = faults_named(connection, {name: table.files for name, table in tables.items()})
        with named, progress("tables", len(tables), log) as advance:
            currency = one_currency(connection, raw, list(tables.values()))
            run = _Run(connection, raw, tables, buckets, scratch / "whole", advance)
            counts = run.all_tables()
        _move_into_place(run.folder, into, scratch)
    return Intake(
        {name: TableIntake(**told, fingerprint=fingerprints[name]) for name, told in counts.items()}, currency
    )


@dataclass
class _Run:
    """One intake: judges the tables in their order and writes what is clean and what is not below `folder`."""

    connection: "DuckDBPyConnection"
    raw: RawSettings
    tables: Mapping[str, MappedTable]
    buckets: int
    folder: Path
    advance: Advance
    counts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def all_tables(self) -> dict[str, dict[str, Any]]:
        """Return what came of each table, all but the fingerprint of its files."""
        self._finish(self._judged("customers"))
        self._know_customers()
        self._finish(self._judged("orders", UNKNOWN_CUSTOMER))
        applications = self._judged("applications", UNKNOWN_CUSTOMER)
        self._know_loans(applications)
        schedule = "left join loans on loan_id = application_id"
        instalments = self._judged("instalments", UNKNOWN_APPLICATION, PAID_TOO_EARLY, joins=schedule)
        self._settle_loans(applications, instalments)
        self._finish(applications)
        self._finish(instalments, "loan_bucket", "join loans on loan_id = application_id")
        return self.counts

    def _judged(self, name: str, *others: Check, joins: str = "") -> Quarantine:
        table = self.tables[name]
        texts = ids_as_text(list(self.tables.values()))
        rows = converted(table, self.raw, texts)
        checks = own_checks(table.contract, readings(table, self.raw, texts), self.raw.scale)
        if find_repeated(self.connection, table.contract, rows):
            checks.append(repeated_key(table.contract))
        quarantine = Quarantine(self.connection, table.contract, rows, (*checks, *others))
        quarantine.judge(joins)
        quarantine.check_readable()
        quarantine.check_share(self._rows(name), self.raw.max_quarantined)
        return quarantine

    def _know_customers(self) -> None:
        clean = parquet(self._clean("customers"))
        self.connection.execute(f"create temp view known_customers as select customer_id from {clean}")

    def _know_loans(self, applications: Quarantine) -> None:
        """Create the table of the applications that are clean so far, with what their instalments need of them."""
        self.connection.execute(
            f"create temp table loans as select application_id as loan_id, {bucket_of_customer(self.buckets)} as "
            f"loan_bucket, applied_at as loan_applied_at, decision = '{APPROVED}' and disbursed_at is not null as "
            f"loan_was_disbursed from {applications.kept}"
        )

    def _settle_loans(self, applications: Quarantine, instalments: Quarantine) -> None:
        """Put whole loans into quarantine: those whose instalments are there or were never written."""
        self.connection.execute(
            "create temp table loans_without_instalments as select loan_id from loans "
            f"where loan_was_disbursed and loan_id not in (select application_id from {instalments.rows} "
            "where application_id is not null)"
        )
        self.connection.execute(
            f"create temp table broken_loans as select distinct application_id from {instalments.table} "
            "where application_id is not null"
        )
        for quarantine, checks in ((applications, (NO_INSTALMENTS, BROKEN_LOAN)), (instalments, (BROKEN_SCHEDULE,))):
            quarantine.judge_again(checks)
            quarantine.check_share(self._rows(quarantine.contract.name), self.raw.max_quarantined)

    def _finish(self, quarantine: Quarantine, bucket: str = "", joins: str = "") -> None:
        """Write a table's clean rows and its quarantine, and note the counts."""
        contract = quarantine.contract
        columns = ", ".join(column.name for column in contract.columns)
        clean = write_buckets(
            self.connection,
            f"{quarantine.kept} {joins}",
            columns,
            bucket or bucket_of_customer(self.buckets),
            self.folder / CLEAN / contract.name,
            self.buckets,
        )
        quarantine.write(self.folder / QUARANTINE / f"{contract.name}.parquet")
        rows, broken = self._rows(contract.name), quarantine.counts
        if rows != clean + sum(broken.values()):
            raise DataError(
                f"the files of {contract.name} must stay as they are while they are read, of {rows:,} rows "
                f"{clean:,} came out clean and {sum(broken.values()):,} broken; run again when they are complete"
            )
        found = survey(self.connection, contract, parquet(self._clean(contract.name)))
        told = {"rows": rows, "clean": clean, "quarantined": broken, "erased": self._erased(contract.name)}
        self.counts[contract.name] = told | vars(found)
        self.advance(len(self.counts), f"{contract.name}: {clean:,} clean rows")

    def _clean(self, name: str) -> list[Path]:
        return sorted((self.folder / CLEAN / name).rglob("*.parquet"))

    def _rows(self, name: str) -> int:
        return self._counted(self.tables[name].relation)

    def _erased(self, name: str) -> int:
        table = self.tables[name]
        return self._counted(f"{table.everything} where {table.erased}") if table.erased else 0

    def _counted(self, rows: str) -> int:
        return int(self.connection.execute(f"select count(*) from {rows}").fetchall()[0][0])


def _move_into_place(folder: Path, into: Path, scratch: Path) -> None:
    """Put new tables where earlier ones may lie. The clean ones come last: where they are, their quarantine is."""
    into.mkdir(parents=True, exist_ok=True)
    for part in (QUARANTINE, CLEAN):
        if (into / part).exists():
            (into / part).replace(scratch / f"earlier-{part}")
        (folder / part).replace(into / part)
