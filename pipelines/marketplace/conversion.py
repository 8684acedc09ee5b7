"""The rows of a table as SQL: each column as written and as converted to its contract."""

from collections.abc import Mapping, Sequence

from pipelines.marketplace.mapping import MappedTable
from pipelines.marketplace.readings import ColumnSql, Units, family, read_column, sql_type
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.tables import Column, Kind


def ids_as_text(tables: Sequence[MappedTable]) -> frozenset[str]:
    """Return the identifiers that are text in some table, and therefore read as text in all tables."""
    return frozenset(
        column.name
        for table in tables
        for column in table.present
        if column.kind is Kind.identifier and family(table.columns[column.name].mapped_type(column)) == "text"
    )


def readings(table: MappedTable, raw: RawSettings, texts: frozenset[str]) -> dict[str, ColumnSql]:
    """Return how each column of the contract that a table has is read."""
    zone = raw.zone_of(table.contract.name)
    _, text = raw.text_of(table.contract.name)
    return {
        column.name: read_column(
            column,
            table.columns[column.name].sql,
            table.columns[column.name].type,
            Units(raw.scale, zone, column.name in texts, raw.decimals, tuple(raw.never), text.decimal, text.thousands),
            table.columns[column.name].mapping,
        )
        for column in table.present
    }


def converted(table: MappedTable, raw: RawSettings, texts: frozenset[str]) -> str:
    """Return SQL of a table's rows with, for every column, the original as raw_<name> and the converted <name>."""
    present = readings(table, raw, texts)
    sources = ", ".join(f"{reading.source} as raw_{name}" for name, reading in present.items())
    mapped = [f"{reading.mapped} as {reading.input}" for reading in present.values() if reading.mapped]
    values = ", ".join(f"{_value(column, present, texts)} as {column.name}" for column in table.contract.columns)
    rows = f"select {', '.join(['*', *mapped])} from (select {sources} from {table.relation})"
    return f"(select *, {values} from ({rows}))"


def empty(column: Column, present: Mapping[str, ColumnSql]) -> str:
    """Return SQL that is true where an empty column means missing and not 0."""
    is_empty = f"{present[column.name].input} is null"
    if column.zero_without is None:
        return is_empty
    if column.zero_without not in present:
        return "false"
    return f"{is_empty} and {present[column.zero_without].input} is not null"


def _value(column: Column, present: Mapping[str, ColumnSql], texts: frozenset[str]) -> str:
    if column.name not in present:
        return f"null::{sql_type(column, ids_as_text=column.name in texts)}"
    value = present[column.name].value
    if column.zero_without is None:
        return value
    is_empty = f"{present[column.name].input} is null"
    return f"case when {is_empty} and not ({empty(column, present)}) then 0 else {value} end"
