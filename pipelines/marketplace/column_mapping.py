"""How a column of a contract is filled from a user's table: a rename, a constant, a map of values, a unit, a format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from pipelines.engine.duckdb_engine import sql_name, sql_text
from pipelines.errors import ConfigurationError, nearest
from pipelines.marketplace.tables import Column, Kind

ZONED = "TIMESTAMP WITH TIME ZONE"

UNITS: Mapping[Kind, Mapping[str, tuple[str, str | None]]] = {
    Kind.money: {"minor": ("{raw}", None), "major": ("{raw}", None)},
    Kind.number: {"percent": ("try_cast({raw} as double) / 100", "DOUBLE")},
    Kind.time: {
        "seconds": ("to_timestamp(try_cast({raw} as double))", ZONED),
        "milliseconds": ("to_timestamp(try_cast({raw} as double) / 1000)", ZONED),
    },
}
"""By kind of column and unit: SQL that converts a value, and its type where that differs from the column's."""

CONSTANT_TYPES = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", str: "VARCHAR"}


@dataclass(frozen=True)
class ColumnMapping:
    """One entry of `raw.tables.TABLE.columns`, written as a column's name or as a mapping with these keys.

    `source` (written `from`) is the user's column, by default the one of the same name; a constant `value` needs none.
    `map` replaces values, and others stay as they are. `format` is that of times that are not ISO (strptime, one or
    several).
    """

    source: str | None = None
    value: bool | int | float | str | None = None
    map: Mapping[Any, Any] = field(default_factory=dict)
    unit: str | None = None
    format: Sequence[str] = ()

    @property
    def source_type(self) -> str | None:
        """The SQL type of a constant, None without one."""
        return None if self.value is None else CONSTANT_TYPES[type(self.value)]

    def source_sql(self, name: str) -> str:
        """Return SQL of the value as written in the user's table."""
        if self.value is None:
            return sql_name(name)
        return sql_text(self.value) if isinstance(self.value, str) else f"{self.value}::{self.source_type}"

    def convert(self, column: Column, raw: str, written_as: str, never: Sequence[str] = ()) -> tuple[str, str]:
        """Return SQL of the mapped value of `raw`, a column of the type `written_as`, and the type of the result.

        Times that begin with one of `never` are missing.
        """
        if column.kind is Kind.time and never:
            matches = " or ".join(f"starts_with({raw}::varchar, {sql_text(one)})" for one in never)
            raw = f"(case when not ({matches}) then {raw} end)"
        if self.map:
            cases = " ".join(f"when {_equals(raw, key)} then {_text(value)}" for key, value in self.map.items())
            return f"case {cases} else {raw}::varchar end", "VARCHAR"
        if self.format:
            formats = ", ".join(map(sql_text, self.format))
            zoned = any("%z" in one or "%Z" in one for one in self.format)
            return f"try_strptime({raw}::varchar, [{formats}])", ZONED if zoned else "TIMESTAMP"
        sql, result = UNITS[column.kind][self.unit] if self.unit else ("{raw}", None)
        return sql.format(raw=raw), result or written_as

    def decimals(self, default: int, currency: int) -> int:
        """Return the decimals of money: `default` without a unit, those of the `currency` in major units."""
        return {None: default, "major": currency}.get(self.unit, 0)


def read_mapping(table: str, column: Column, declared: object) -> ColumnMapping:
    """Return the mapping that a user declared for a column.

    Raises:
        ConfigurationError: an unknown key; keys that exclude each other; a unit or format that the column cannot have.
    """
    where = f"raw.tables.{table}.columns.{column.name}"
    if isinstance(declared, str):
        return ColumnMapping(source=declared)
    if not isinstance(declared, Mapping):
        raise ConfigurationError(f"{where} is {declared}; write a column's name or {{value: {declared}}}")
    keys = [one.name.replace("source", "from") for one in fields(ColumnMapping)]
    for key in declared:
        if key not in keys:
            raise ConfigurationError(f"{where} has an unknown key '{key}'; {nearest(str(key), keys)}")
    entries = {("source" if key == "from" else key): value for key, value in declared.items()}
    if isinstance(entries.get("format"), str):
        entries["format"] = [entries["format"]]
    mapping = ColumnMapping(**entries)
    _check(where, column, mapping)
    return mapping


def _check(where: str, column: Column, mapping: ColumnMapping) -> None:
    given = [key for key in ("value", "map", "unit", "format") if getattr(mapping, key) not in (None, {}, ())]
    if len(given) > 1:
        raise ConfigurationError(f"{where} has {' and '.join(given)}, which exclude each other; keep one")
    if mapping.value is not None and (mapping.source is not None or type(mapping.value) not in CONSTANT_TYPES):
        raise ConfigurationError(f"{where} is a constant; write {{value: CONSTANT}} with a number, text or true/false")
    units = UNITS.get(column.kind, {})
    if mapping.unit is not None and mapping.unit not in units:
        listed = " or ".join(units) or "no unit"
        raise ConfigurationError(f"{where} has the unit '{mapping.unit}', and the column takes {listed}; correct it")
    if mapping.format and column.kind is not Kind.time:
        raise ConfigurationError(f"{where} has a format, which only columns of times take; remove it")
    if not isinstance(mapping.map, Mapping):
        raise ConfigurationError(f"{where}.map is {mapping.map}; write {{OLD VALUE: NEW VALUE}}")


def _equals(raw: str, key: object) -> str:
    if isinstance(key, bool):
        return f"lower({raw}::varchar) = '{str(key).lower()}'"
    if isinstance(key, int | float):
        return f"try_cast({raw}::varchar as double) = {key}"
    return f"{raw}::varchar = {sql_text(str(key))}"


def _text(value: object) -> str:
    if value is None:
        return "null"
    return sql_text(str(value).lower() if isinstance(value, bool) else str(value))
