"""The rows of a table as SQL: each column as it was written and as what it says."""

from collections.abc import Container, Mapping, Sequence

from pipelines.engine.duckdb_engine import quoted
from pipelines.marketplace.mapping import MappedTable
from pipelines.marketplace.readings import Reading, Units, family, read_column, sql_type
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.tables import Column, Kind


def ids_as_text(tables: Sequence[MappedTable]) -> frozenset[str]:
    """Return the identifiers that are text in some table, and therefore in all of them."""
    return frozenset(
        column.name
        for table in tables
        for column in table.present
        if column.kind is Kind.identifier and family(table.columns[column.name][1]) == "text"
    )


def readings(table: MappedTable, raw: RawSettings, texts: frozenset[str]) -> dict[str, Reading]:
    """Return how each column of a contract that a table holds is read."""
    zone = raw.zone_of(table.contract.name)
    return {
        column.name: read_column(
            column,
            quoted(table.columns[column.name][0]),
            table.columns[column.name][1],
            _units(raw, zone, column, texts),
        )
        for column in table.present
    }


def converted(table: MappedTable, raw: RawSettings, texts: frozenset[str]) -> str:
    """Return SQL of a table's rows: what was written as raw_<name>, and what it says as <name>, for every column."""
    found = readings(table, raw, texts)
    sources = ", ".join(f"{reading.source} as raw_{name}" for name, reading in found.items())
    values = ", ".join(f"{_value(column, found, texts)} as {column.name}" for column in table.contract.columns)
    return f"(select *, {values} from (select {sources} from {table.relation}))"


def empty(column: Column, present: Container[str]) -> str:
    """Return SQL that is true where a column is empty and what it says is missing, not 0."""
    if column.zero_without is None:
        return f"raw_{column.name} is null"
    if column.zero_without not in present:
        return "false"
    return f"raw_{column.name} is null and raw_{column.zero_without} is not null"


def _value(column: Column, found: Mapping[str, Reading], texts: frozenset[str]) -> str:
    if column.name not in found:
        return f"null::{sql_type(column, ids_as_text=column.name in texts)}"
    value = found[column.name].value
    if column.zero_without is None:
        return value
    return f"case when raw_{column.name} is null and not ({empty(column, found)}) then 0 else {value} end"


def _units(raw: RawSettings, zone: str | None, column: Column, texts: frozenset[str]) -> Units:
    return Units(raw.scale, zone, column.name in texts)
