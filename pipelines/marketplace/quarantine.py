"""The quarantine: rows that break a rule, with their original values and the first rule that each breaks."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.duckdb_engine import sql_text
from pipelines.errors import DataError
from pipelines.marketplace.rules import NO_ZONE, OUT_OF_RANGE, RULE, Check, first_broken
from pipelines.marketplace.tables import Kind, TableContract
from pipelines.secrets.private_files import make_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


QUARANTINE = "quarantine"


@dataclass
class Quarantine:
    """The broken rows of one table, in the temporary table quarantined_<name>; `checks` are its rules.

    `rows` is SQL of the table's converted rows.
    """

    connection: "DuckDBPyConnection"
    contract: TableContract
    rows: str
    checks: tuple[Check, ...]

    @property
    def table(self) -> str:
        """The name of the temporary table."""
        return f"quarantined_{self.contract.name}"

    def fill(self, joins: str = "") -> None:
        """Create the table of the rows that break a check. `joins` adds the other tables that the checks use."""
        self.connection.execute(f"create temp table {self.table} as {self._broken(self.rows, self.checks, joins)}")

    def add(self, checks: tuple[Check, ...]) -> None:
        """Add the rows that break checks which depend on the quarantine of other tables."""
        self.checks += checks
        self.connection.execute(f"insert into {self.table} {self._broken(self.kept, checks)}")

    @property
    def kept(self) -> str:
        """SQL of the rows that are not in quarantine; a quarantined key has all its rows there."""
        if not self.counts:
            return self.rows
        complete = " and ".join(f"{name} is not null" for name in self.contract.key)
        return f"(from {self.rows} anti join {self.table} using ({', '.join(self.contract.key)}) where {complete})"

    @property
    def counts(self) -> dict[str, int]:
        """Rows in quarantine by rule, the most frequent first."""
        query = f"select {RULE}, count(*) from {self.table} group by all order by 2 desc, 1"
        return {str(rule): int(rows) for rule, rows in self.connection.execute(query).fetchall()}

    def check_readable(self) -> None:
        """Raise DataError where times have no zone, or where no value of a column can be read as its kind."""
        counts = self.counts
        for check in self.checks:
            if check.sentence.endswith(NO_ZONE) and check.sentence in counts:
                raise DataError(
                    f"{counts[check.sentence]:,} rows of {self.contract.name} have times without a time zone (first "
                    f"{self._example(check)}) and raw.time_zone is not set; add raw.time_zone=UTC or the zone of the "
                    "times"
                )
            if check.sentence.endswith(OUT_OF_RANGE) and check.sentence in counts:
                raise DataError(
                    f"{check.sentence} in {counts[check.sentence]:,} rows of {self.contract.name} (first "
                    f"{self._example(check)}); correct it, declare the format in {self._setting(check)}.format, or "
                    "declare it as never: raw.never=[9999-12-31]"
                )
            if check.stops and check.sentence in counts and self._is_unreadable(check.column):
                raise DataError(
                    f"every {check.sentence} in {self.contract.name} (first {self._example(check)}); convert it or "
                    f"name another column in {self._setting(check)}{self._format_advice(check)}"
                )

    def check_share(self, total: int, limit: float) -> None:
        """Raise DataError when more than a share `limit` of the table's `total` rows are in quarantine."""
        counts = self.counts
        broken = sum(counts.values())
        if broken <= limit * total:
            return
        sentence, rows = next(iter(counts.items()))
        check = next(check for check in self.checks if check.sentence == sentence)
        raise DataError(
            f"{broken:,} of {total:,} rows of {self.contract.name} break the contract, more than the {limit:.0%} that "
            f"raw.max_quarantined allows; most often: {sentence} ({rows:,} rows, first {self._example(check)}); "
            f"correct the files or the mapping in raw.tables.{self.contract.name}, or raise raw.max_quarantined"
            f"{self._format_advice(check) if check.stops else ''}"
        )

    def write(self, path: Path) -> None:
        """Write the rows with the contract's column names and the user's original values."""
        make_folder(path.parent)
        raw = "columns('^raw_(.*)$') as '\\1'"
        self.connection.execute(f"copy (select {raw}, {RULE} from {self.table}) to {sql_text(str(path))}")

    def example_of(self, rule: str) -> str:
        """Return the first value that breaks a rule, with the key of its row."""
        return self._example(next(check for check in self.checks if check.sentence == rule))

    def _broken(self, rows: str, checks: tuple[Check, ...], joins: str = "") -> str:
        checked = f"select *, {first_broken(checks)} as {RULE} from {rows} as line {joins}"
        key = ", ".join(self.contract.key)
        return f"select columns('^raw_'), {key}, {RULE} from ({checked}) where {RULE} is not null"

    def _setting(self, check: Check) -> str:
        return f"raw.tables.{self.contract.name}.columns.{check.column}"

    def _format_advice(self, check: Check) -> str:
        """Return what to do about times that are not ISO, nothing for other columns."""
        if check.column not in self.contract.of_kind(Kind.time):
            return ""
        return f"; if times are not ISO, declare their format: '{self._setting(check)}={{format: \"%d/%m/%Y %H:%M\"}}'"

    def _is_unreadable(self, column: str) -> bool:
        return not self.connection.execute(f"select 1 from {self.rows} where {column} is not null limit 1").fetchall()

    def _example(self, check: Check) -> str:
        """Return the invalid value of the row with the smallest key among those that break a rule."""
        key = self.contract.key[0]
        query = (
            f"select raw_{check.column}::varchar, raw_{key}::varchar from {self.table} "
            f"where {RULE} = {sql_text(check.sentence)} order by {key} nulls last, 1 limit 1"
        )
        value, name = self.connection.execute(query).fetchall()[0]
        shown = "nothing" if value is None else repr(value)
        return f"{check.column} {shown}" + ("" if check.column == key else f" of {key} {name}")
