"""One intake: checks the tables of a marketplace in order, and writes clean rows in buckets and a quarantine.

Tables are checked in order: customers; orders and applications, which refer to a customer; instalments, which refer to
an application. A row that refers to a quarantined row is quarantined too. A loan is clean or quarantined as a whole: if
one of its instalments is quarantined, so are the application and its other instalments, because half a schedule would
give a wrong label.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.command.progress import Advance
from pipelines.engine.duckdb_engine import count_rows, sql_parquet
from pipelines.errors import DataError
from pipelines.marketplace.buckets import CLEAN, bucket_of_customer, write_buckets
from pipelines.marketplace.conversion import converted, ids_as_text, readings
from pipelines.marketplace.isolated_times import isolated_times
from pipelines.marketplace.keys import find_repeated, without_copies
from pipelines.marketplace.loan_rules import WRONG_SUM, LoanRules
from pipelines.marketplace.mapping import MappedTable
from pipelines.marketplace.quarantine import QUARANTINE, Quarantine
from pipelines.marketplace.rules import (
    BROKEN_LOAN,
    BROKEN_SCHEDULE,
    NO_INSTALMENTS,
    UNKNOWN_APPLICATION,
    UNKNOWN_CUSTOMER,
    Check,
    own_checks,
    paid_too_early,
    repeated_key,
)
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.tables import APPROVED, ORDERS, Kind, TableContract

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FUTURE = "due_at"
"""The one time column that may be in the future."""

WITH_LEVELS: Mapping[str, Sequence[str]] = {"orders": ORDERS.of_kind(Kind.text), "applications": ["marketplace"]}
"""The columns whose levels are counted, by table; never those of customers."""

MOST_LEVELS = 1_000
"""Levels kept of a column, the most frequent first."""


@dataclass(frozen=True)
class TableIntake:
    """Counts of one table: rows read, clean rows, quarantined rows by rule, equal copies; and the SHA-256 of its files.

    `latest` is the latest moment of each time column (ISO, UTC) and `levels` the rows of each level of some columns,
    both of the clean rows. The `erased` rows of erased people are left out and not counted in `rows`.
    """

    rows: int
    clean: int
    quarantined: Mapping[str, int]
    latest: Mapping[str, str]
    levels: Mapping[str, Mapping[str, int]]
    fingerprint: str
    erased: int = 0
    copies: int = 0


@dataclass
class IntakeRun:
    """One intake: checks the tables in order and writes clean rows and quarantines below `folder`.

    Where it `stops`, the first table that breaks its contract too often raises; otherwise `refusals` has the messages.
    """

    connection: "DuckDBPyConnection"
    raw: RawSettings
    rules: LoanRules
    tables: Mapping[str, MappedTable]
    buckets: int
    folder: Path
    advance: Advance
    stops: bool = True
    counts: dict[str, dict[str, Any]] = field(default_factory=dict)
    quarantines: dict[str, Quarantine] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    copies: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def all_tables(self) -> dict[str, dict[str, Any]]:
        """Return the counts of each table."""
        self._finish(self._checked("customers"))
        self._create_customers()
        self._finish(self._checked("orders", UNKNOWN_CUSTOMER))
        applications = self._checked("applications", UNKNOWN_CUSTOMER)
        self._create_loans(applications)
        schedule = "left join loans on loan_id = application_id"
        instalments = self._checked("instalments", UNKNOWN_APPLICATION, joins=schedule)
        self._quarantine_whole_loans(applications, instalments)
        self._finish(applications)
        self._finish(instalments, "loan_bucket", "join loans on loan_id = application_id")
        self._check_times()
        return self.counts

    def _checked(self, name: str, *others: Check, joins: str = "") -> Quarantine:
        table = self.tables[name]
        texts = ids_as_text(list(self.tables.values()))
        rows = converted(table, self.raw, texts)
        present = readings(table, self.raw, texts)
        checks = [*own_checks(table.contract, present, self.raw.scale), *self.rules.checks(name)]
        if find_repeated(self.connection, table.contract, rows):
            rows, self.copies[name] = without_copies(self.connection, table.contract, rows)
            checks.append(repeated_key(table.contract))
        of_loans = [paid_too_early(present)] if name == "instalments" else []
        quarantine = Quarantine(self.connection, table.contract, rows, (*checks, *others, *of_loans))
        quarantine.fill(joins)
        self.quarantines[name] = quarantine
        self.rows[name] = count_rows(self.connection, table.relation)
        self._check(quarantine, is_readable=True)
        return quarantine

    def _check(self, quarantine: Quarantine, *, is_readable: bool) -> None:
        """Check the share of broken rows, and with `is_readable` first that columns can be read at all."""
        try:
            if is_readable:
                quarantine.check_readable()
            quarantine.check_share(self.rows[quarantine.contract.name], self.raw.max_quarantined)
        except DataError as error:
            self._refuse(error)

    def _refuse(self, error: DataError) -> None:
        if self.stops:
            raise error
        self.refusals.append(str(error))

    def _create_customers(self) -> None:
        clean = sql_parquet(self._clean("customers"))
        self.connection.execute(f"create temp view known_customers as select customer_id from {clean}")

    def _create_loans(self, applications: Quarantine) -> None:
        """Create the table of the applications that are clean so far, with the columns that instalments refer to."""
        self.connection.execute(
            f"create temp table loans as select application_id as loan_id, {bucket_of_customer(self.buckets)} as "
            f"loan_bucket, applied_at as loan_applied_at, decision = '{APPROVED}' and disbursed_at is not null as "
            f"loan_was_disbursed, principal as loan_principal from {applications.kept}"
        )

    def _quarantine_whole_loans(self, applications: Quarantine, instalments: Quarantine) -> None:
        """Quarantine loans without instalments, with a quarantined one, or whose instalments have a wrong sum."""
        self.connection.execute(
            "create temp table loans_without_instalments as select loan_id from loans "
            f"where loan_was_disbursed and loan_id not in (select application_id from {instalments.rows} "
            "where application_id is not null)"
        )
        self.connection.execute(
            f"create temp table broken_loans as select distinct application_id from {instalments.table} "
            "where application_id is not null"
        )
        self.connection.execute(f"create temp table loans_with_wrong_sums as {self.rules.wrong_sums(instalments.rows)}")
        is_needed = self.rules.need_instalments and not self.tables["instalments"].is_absent
        of_loans = (*((NO_INSTALMENTS,) if is_needed else ()), BROKEN_LOAN, WRONG_SUM)
        for quarantine, checks in ((applications, of_loans), (instalments, (BROKEN_SCHEDULE,))):
            quarantine.add(checks)
            self._check(quarantine, is_readable=False)

    def _finish(self, quarantine: Quarantine, bucket: str = "", joins: str = "") -> None:
        """Write a table's clean rows and its quarantine, and record the counts."""
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
        rows, broken, copies = self.rows[contract.name], quarantine.counts, self.copies.get(contract.name, 0)
        if rows != clean + sum(broken.values()) + copies:
            raise DataError(
                f"the files of {contract.name} changed while they were read: of {rows:,} rows {clean:,} are clean and "
                f"{sum(broken.values()):,} broken; run again when the files are complete"
            )
        counts: dict[str, Any] = {"rows": rows, "clean": clean, "quarantined": broken, "copies": copies}
        counts["erased"] = self._erased(contract.name)
        rows_of_table = sql_parquet(self._clean(contract.name))
        levels = {name: self._levels(name, rows_of_table) for name in WITH_LEVELS.get(contract.name, ())}
        counts |= {"latest": self._latest(contract, rows_of_table), "levels": levels}
        self.counts[contract.name] = counts
        self.advance(len(self.counts), f"{contract.name}: {clean:,} clean rows")

    def _latest(self, contract: TableContract, rows: str) -> dict[str, str]:
        names = [name for name in contract.of_kind(Kind.time) if name != FUTURE]
        maxima = self.connection.execute(f"select {', '.join(f'max({name})' for name in names)} from {rows}").fetchall()
        return {name: moment.isoformat() for name, moment in zip(names, maxima[0], strict=True) if moment is not None}

    def _check_times(self) -> None:
        """Check that no few times are years after all others; instalments may be due in the future."""
        months = {
            f"{name} of {table}": dict(self._months(name, sql_parquet(self._clean(table))))
            for table in self.counts
            for name in self.tables[table].contract.of_kind(Kind.time)
            if name != FUTURE
        }
        isolated = isolated_times(months)
        if isolated is not None:
            month = f"{isolated.first:%Y-%m}"
            message = (
                f"{isolated.column} is in {month}, {isolated.months} months after every earlier time of the tables "
                f"({isolated.rows:,} rows); correct it, or declare it as never: raw.never=[{month}]"
            )
            self._refuse(DataError(message))

    def _months(self, column: str, rows: str) -> list[tuple[date, int]]:
        query = (
            f"select date_trunc('month', {column})::date, count(*) from {rows} where {column} is not null group by all"
        )
        return self.connection.execute(query).fetchall()

    def _levels(self, column: str, rows: str) -> dict[str, int]:
        query = (
            f"select {column}, count(*) from {rows} where {column} is not null group by all order by 2 desc, 1 "
            f"limit {MOST_LEVELS}"
        )
        return {str(level): int(count) for level, count in self.connection.execute(query).fetchall()}

    def _clean(self, name: str) -> list[Path]:
        return sorted((self.folder / CLEAN / name).rglob("*.parquet"))

    def _erased(self, name: str) -> int:
        table = self.tables[name]
        return count_rows(self.connection, f"{table.everything} where {table.erased}") if table.erased else 0
