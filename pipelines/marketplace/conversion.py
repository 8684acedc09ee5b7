"""The rows of a table as SQL: each column as written and as converted to its contract."""

from collections.abc import Container, Mapping, Sequence

from pipelines.engine.duckdb_engine import sql_name
from pipelines.marketplace.mapping import MappedTable
from pipelines.marketplace.readings import Reading, Units, family, read_column, sql_type
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.tables import Column, Kind


def ids_as_text(tables: Sequence[MappedTable]) -> frozenset[str]:
    """Return the identifiers that are text in some table, and therefore read as text in all tables."""
    return frozenset(
        column.name
        for table in tables
        for column in table.present
        if column.kind is Kind.identifier and family(table.columns[column.name][1]) == "text"
    )


def readings(table: MappedTable, raw: RawSettings, texts: frozenset[str]) -> dict[str, Reading]:
    """Return how each column of the contract that a table has is read."""
    zone = raw.zone_of(table.contract.name)
    return {
        column.name: read_column(
            column,
            sql_name(table.columns[column.name][0]),
            table.columns[column.name][1],
            Units(raw.scale, zone, column.name in texts),
        )
        for column in table.present
    }


def converted(table: MappedTable, raw: RawSettings, texts: frozenset[str]) -> str:
    """Return SQL of a table's rows with, for every column, the original as raw_<name> and the converted <name>."""
    present = readings(table, raw, texts)
    sources = ", ".join(f"{reading.source} as raw_{name}" for name, reading in present.items())
    values = ", ".join(f"{_value(column, present, texts)} as {column.name}" for column in table.contract.columns)
    return f"(select *, {values} from (select {sources} from {table.relation}))"


def empty(column: Column, present: Container[str]) -> str:
    """Return SQL that is true where an empty column means missing and not 0."""
    if column.zero_without is None:
        return f"raw_{column.name} is null"
    if column.zero_without not in present:
        return "false"
    return f"raw_{column.name} is null and raw_{column.zero_without} is not null"


def _value(column: Column, present: Mapping[str, Reading], texts: frozenset[str]) -> str:
    if column.name not in present:
        return f"null::{sql_type(column, ids_as_text=column.name in texts)}"
    value = present[column.name].value
    if column.zero_without is None:
        return value
    return f"case when raw_{column.name} is null and not ({empty(column, present)}) then 0 else {value} end"
