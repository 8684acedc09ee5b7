"""The quarantine: rows that broke a rule, as they were written, with the first rule that each broke."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.duckdb_engine import literal
from pipelines.errors import DataError
from pipelines.marketplace.rules import NO_ZONE, RULE, Check, first_broken
from pipelines.marketplace.tables import TableContract

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


QUARANTINE = "quarantine"


@dataclass
class Quarantine:
    """The broken rows of one table, in the temporary table quarantined_<name>; `checks` are the rules they may break.

    `rows` is SQL of the table's rows, converted.
    """

    connection: "DuckDBPyConnection"
    contract: TableContract
    rows: str
    checks: tuple[Check, ...]

    @property
    def table(self) -> str:
        """The name of the temporary table."""
        return f"quarantined_{self.contract.name}"

    def judge(self, joins: str = "") -> None:
        """Create the table of the rows that break a check. `joins` brings in what the checks need of other tables."""
        self.connection.execute(f"create temp table {self.table} as {self._broken(self.rows, self.checks, joins)}")

    def judge_again(self, checks: tuple[Check, ...]) -> None:
        """Add the rows that break a check which could not be told before other tables were judged."""
        self.checks += checks
        self.connection.execute(f"insert into {self.table} {self._broken(self.kept, checks)}")

    @property
    def kept(self) -> str:
        """SQL of the rows that are not in quarantine: a key that is there has all its rows there."""
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
        """Raise a DataError where times lack a zone, or where no value of a column can be read as its kind."""
        counts = self.counts
        for check in self.checks:
            if check.sentence.endswith(NO_ZONE) and check.sentence in counts:
                raise DataError(
                    f"a time needs a zone, {counts[check.sentence]:,} rows of {self.contract.name} have none (first "
                    f"{self._example(check)}) and no time_zone is given; add raw.time_zone=UTC or the zone they were "
                    "written in"
                )
            if check.stops and check.sentence in counts and self._says_nothing(check.column):
                raise DataError(
                    f"every {check.sentence} in {self.contract.name} (first {self._example(check)}); convert it or "
                    f"name another column in raw.tables.{self.contract.name}.columns.{check.column}"
                )

    def check_share(self, total: int, limit: float) -> None:
        """Raise a DataError when more than a share `limit` of the table's `total` rows are in quarantine."""
        counts = self.counts
        broken = sum(counts.values())
        if broken <= limit * total:
            return
        sentence, rows = next(iter(counts.items()))
        check = next(check for check in self.checks if check.sentence == sentence)
        raise DataError(
            f"at most {limit:.0%} of the rows of {self.contract.name} may break their contract, {broken:,} of "
            f"{total:,} do; most often: {sentence} ({rows:,} rows, first {self._example(check)}); correct the files, "
            f"their mapping in raw.tables.{self.contract.name}, or raise raw.max_quarantined"
        )

    def write(self, path: Path) -> None:
        """Write the rows under the contract's names, with their values as the user wrote them."""
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = "columns('^raw_(.*)$') as '\\1'"
        self.connection.execute(f"copy (select {raw}, {RULE} from {self.table}) to {literal(str(path))}")

    def _broken(self, rows: str, checks: tuple[Check, ...], joins: str = "") -> str:
        judged = f"select *, {first_broken(checks)} as {RULE} from {rows} as line {joins}"
        key = ", ".join(self.contract.key)
        return f"select columns('^raw_'), {key}, {RULE} from ({judged}) where {RULE} is not null"

    def _says_nothing(self, column: str) -> bool:
        """Return whether no row holds a value that can be read: of most wrong columns the first row tells."""
        return not self.connection.execute(f"select 1 from {self.rows} where {column} is not null limit 1").fetchall()

    def _example(self, check: Check) -> str:
        """Return the offending value of the row with the smallest key among those that broke a rule."""
        key = self.contract.key[0]
        query = (
            f"select raw_{check.column}::varchar, raw_{key}::varchar from {self.table} "
            f"where {RULE} = {literal(check.sentence)} order by {key} nulls last, 1 limit 1"
        )
        value, name = self.connection.execute(query).fetchall()[0]
        shown = "nothing" if value is None else repr(value)
        return f"{check.column} {shown}" + ("" if check.column == key else f" of {key} {name}")
