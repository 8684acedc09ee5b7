"""A preview of the mapped tables: first rows, types, ranges, broken rules and counts, without writing anything."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.command.progress import progress
from pipelines.engine.duckdb_engine import count_rows
from pipelines.erasures.record import Erasures
from pipelines.errors import DataError
from pipelines.marketplace.intake import opened_tables
from pipelines.marketplace.intake_run import IntakeRun
from pipelines.marketplace.loan_rules import LoanRules
from pipelines.marketplace.mapping import MappedTable
from pipelines.marketplace.own_applications import checked_applications
from pipelines.marketplace.quarantine import Quarantine
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.sources import TableSource, find_source
from pipelines.marketplace.table_sql import Resources
from pipelines.marketplace.tables import OWN_APPLICATIONS, ROW
from pipelines.storage.atomic_files import folder_for_now

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = logging.getLogger(__name__)

FIRST_ROWS = 3


@dataclass(frozen=True)
class ColumnPreview:
    """A column of a contract: where it is from, its type there, the share of missing values, and the range as read."""

    name: str
    source: str
    type: str
    missing: float
    lowest: str | None
    highest: str | None


@dataclass(frozen=True)
class BrokenRule:
    """A rule of a contract, the rows that break it, and the first of these."""

    rule: str
    rows: int
    example: str


@dataclass(frozen=True)
class TablePreview:
    """A mapped table; its `rows` are the `clean` ones, the quarantined ones by rule, and equal `copies`."""

    table: str
    rows: int
    clean: int
    copies: int
    erased: int
    broken: Sequence[BrokenRule]
    columns: Sequence[ColumnPreview]
    first_rows: Sequence[Mapping[str, str | None]]


@dataclass(frozen=True)
class Preview:
    """The preview of each table that has a source, and why `thinfile prepare` would stop, if it would."""

    tables: Sequence[TablePreview]
    refusals: Sequence[str]


def preview_tables(
    raw: RawSettings,
    beside: Path,
    required: Collection[str],
    threads: int,
    memory_limit: str,
    erasures: Erasures,
    rules: LoanRules,
) -> Preview:
    """Check the tables of a folder, with temporary files in a folder `beside`, and return their preview.

    Raises:
        ConfigurationError, DataError: see `run_intake`; rows that break a rule are no error here.
    """
    with (
        folder_for_now(beside),
        opened_tables(raw, beside, required, threads, memory_limit, erasures) as opened,
        progress("tables", len(opened.tables), log) as advance,
    ):
        run = IntakeRun(opened.connection, raw, rules, opened.tables, 1, opened.scratch / "whole", advance, stops=False)
        counts = run.all_tables()
        present = [table for table in opened.tables.values() if not table.is_absent]
        tables = [
            _preview(table, run.quarantines[table.contract.name], counts[table.contract.name]) for table in present
        ]
        refusals = [*run.refusals]
        source = find_source(raw, OWN_APPLICATIONS.name, is_required=False)
        if source is not None:
            resources = Resources(threads, memory_limit, opened.scratch)
            tables.append(_own_preview(opened.connection, raw, source, resources, erasures, refusals))
    return Preview(tables, refusals)


def _own_preview(
    connection: "DuckDBPyConnection",
    raw: RawSettings,
    source: TableSource,
    resources: Resources,
    erasures: Erasures,
    refusals: list[str],
) -> TablePreview:
    """Return the preview of the user's own applications, and add to `refusals` why they would stop the command."""
    rows, table, quarantine = checked_applications(connection, raw, source, resources, erasures)
    kept = count_rows(connection, table.relation)
    try:
        quarantine.check_readable()
        quarantine.check_share(kept, raw.max_quarantined)
    except DataError as error:
        refusals.append(str(error))
    broken = quarantine.counts
    counts = {"rows": kept, "clean": kept - sum(broken.values()), "quarantined": broken, "copies": 0}
    return _preview(table, quarantine, counts | {"erased": len(rows) - kept})


def _preview(table: MappedTable, quarantine: Quarantine, counts: Mapping[str, Any]) -> TablePreview:
    broken = [BrokenRule(rule, rows, quarantine.example_of(rule)) for rule, rows in counts["quarantined"].items()]
    return TablePreview(
        table.contract.name,
        counts["rows"],
        counts["clean"],
        counts["copies"],
        counts["erased"],
        broken,
        _columns(table, quarantine),
        _first_rows(table, quarantine),
    )


def _columns(table: MappedTable, quarantine: Quarantine) -> list[ColumnPreview]:
    names = _names(table)
    statistics = ", ".join(f"count({name}), min({name})::varchar, max({name})::varchar" for name in names)
    row = quarantine.connection.execute(f"select count(*), {statistics} from {quarantine.rows}").fetchall()[0]
    previews = []
    for index, name in enumerate(names):
        values, lowest, highest = row[1 + 3 * index : 4 + 3 * index]
        mapped = table.columns[name]
        source = mapped.name if mapped.mapping.value is None else f"constant {mapped.mapping.value}"
        previews.append(ColumnPreview(name, source, mapped.type, (row[0] - values) / max(row[0], 1), lowest, highest))
    return previews


def _first_rows(table: MappedTable, quarantine: Quarantine) -> list[dict[str, str | None]]:
    names = _names(table)
    values = ", ".join(f"{name}::varchar" for name in names)
    query = f"select {values} from {quarantine.rows} order by {', '.join(table.contract.key)} limit {FIRST_ROWS}"
    return [dict(zip(names, row, strict=True)) for row in quarantine.connection.execute(query).fetchall()]


def _names(table: MappedTable) -> list[str]:
    """Return the columns that the user's table has, without a number that was added to each row."""
    return [column.name for column in table.present if column.name != ROW]
