"""SQL that converts a user's column to a column of the contract, for each kind and source type."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.engine.duckdb_engine import sql_text
from pipelines.marketplace.column_mapping import ColumnMapping
from pipelines.marketplace.tables import Column, Kind
from pipelines.reading.times import FIRST_YEAR, LAST_YEAR

SLACK_DIGITS = 3
"""Digits below the minor unit: an amount may differ from whole minor units by a thousandth, as 0.1 + 0.2 does.

Text is read with this many more digits. Decimals of up to 18 digits are 64-bit integers; longer ones are 200 times
slower to read from text.
"""

UNMAPPED = ColumnMapping()

_ISO = r"^\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}(\D|$)|^[-+]?inf"
_LOCAL = r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
_DAY = r"^\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}\s*([ T]0?0:00(:00(\.0+)?)?\s*([Zz]|[-+].*)?)?\s*$"
_INTEGERS = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")}
_FAMILIES = (
    dict.fromkeys(_INTEGERS | {"INTEGER", "UINTEGER"}, "integer")
    | dict.fromkeys(("FLOAT", "DOUBLE"), "real")
    | dict.fromkeys(("VARCHAR", "UUID"), "text")
    | dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"), "local time")
    | {"TIMESTAMP WITH TIME ZONE": "zoned time", "BOOLEAN": "flag"}
)
_NUMERIC = {"integer", "real", "decimal", "text"}
_READABLE = {
    Kind.identifier: _NUMERIC,
    Kind.text: _NUMERIC | {"flag"},
    Kind.time: {"local time", "zoned time", "text"},
    Kind.money: _NUMERIC,
    Kind.whole: _NUMERIC,
    Kind.number: _NUMERIC,
    Kind.flag: {"flag", "integer", "text"},
}
_NOUNS = {
    Kind.identifier: "an identifier (a 64-bit integer or text)",
    Kind.text: "text",
    Kind.time: "a time (a date or an ISO text)",
    Kind.whole: "a whole number",
    Kind.number: "a number",
    Kind.flag: "true or false",
}


@dataclass(frozen=True)
class Units:
    """Settings of a column: decimals of money as written and of the currency, the zone of local times, ids as text.

    Times that begin with one of `never` are missing. `decimal` and `thousands` are the marks of numbers in text.
    """

    decimals: int = 0
    zone: str | None = None
    ids_as_text: bool = False
    currency_decimals: int = 2
    never: Sequence[str] = ()
    decimal: str = "."
    thousands: str | None = None


@dataclass(frozen=True)
class ColumnSql:
    """SQL of a column: `source` reads the user's column, and `mapped` its mapped value under the name `input`.

    `value` and the conditions are over `input`, which is the source itself without a mapping: those of faults, and
    `is_day` of times that are a date alone.
    """

    source: str
    input: str
    value: str
    unreadable: str
    mapped: str | None = None
    infinite: str | None = None
    zoneless: str | None = None
    out_of_range: str | None = None
    is_day: str | None = None


def family(sql_type: str) -> str:
    """Return the family of a DuckDB type.

    >>> family("DECIMAL(18,2)"), family("USMALLINT"), family("DATE"), family("VARCHAR[]")
    ('decimal', 'integer', 'local time', 'other')
    """
    if sql_type.endswith("]"):
        return "other"
    if sql_type.startswith(("DECIMAL", "ENUM")):
        return "decimal" if sql_type.startswith("DECIMAL") else "text"
    return _FAMILIES.get(sql_type, "other")


def is_readable(kind: Kind, sql_type: str) -> bool:
    """Return whether a column of a type can be read as a kind."""
    return family(sql_type) in _READABLE[kind]


def noun(kind: Kind, decimals: int) -> str:
    """Return the noun for a value of a kind in messages.

    >>> noun(Kind.money, 2), noun(Kind.money, 0)
    ('an amount with at most 2 decimals', 'an amount in whole minor units')
    """
    if kind is Kind.money:
        return f"an amount with at most {decimals} decimals" if decimals else "an amount in whole minor units"
    return _NOUNS[kind]


def sql_type(column: Column, *, ids_as_text: bool) -> str:
    """Return the type of a column in the clean tables."""
    if column.kind is Kind.identifier:
        return "varchar" if ids_as_text else "bigint"
    return str(column.kind.value)


def read_column(
    column: Column, name: str, written_as: str, units: Units, mapping: ColumnMapping = UNMAPPED
) -> ColumnSql:
    """Return the SQL that converts `name`, SQL of a readable DuckDB type, to a column of the contract.

    Not-a-number is read as missing, as data frames write it.
    """
    source = f"raw_{column.name}"
    mapped, mapped_as = mapping.convert(column, source, written_as, units.never)
    is_mapped = mapped != source
    group = family(mapped_as)
    written = raw = f"mapped_{column.name}" if is_mapped else source
    if group == "text" and column.kind in (Kind.money, Kind.whole, Kind.number):
        raw = plain_number(raw, units.decimal, units.thousands)
    target = sql_type(column, ids_as_text=units.ids_as_text)
    value = {
        Kind.identifier: lambda: _identifier(raw, group, units),
        Kind.time: lambda: _time(raw, group, units.zone),
        Kind.money: lambda: _money(raw, group, mapping.decimals(units.decimals, units.currency_decimals)),
        Kind.whole: lambda: f"try_cast({_whole(raw, group)} as integer)",
        Kind.flag: lambda: f"case when {raw} in (0, 1) then {raw} = 1 end" if group == "integer" else "",
    }.get(column.kind, lambda: "")()
    return ColumnSql(
        source=_source(name, written_as),
        input=written,
        value=value or f"try_cast({raw} as {target})",
        unreadable=f"{source if mapping.format else written} is not null and {column.name} is null",
        mapped=mapped if is_mapped else None,
        infinite=_infinite(column, raw, group),
        zoneless=f"regexp_matches({raw}, '{_LOCAL}')" if _needs_zone(column, group, units) else None,
        out_of_range=_out_of_range(column) if column.kind is Kind.time else None,
        is_day=_is_day(raw, group, units.zone) if column.kind is Kind.time else None,
    )


def _source(name: str, written_as: str) -> str:
    if family(written_as) == "real":
        return f"case when not isnan({name}) then {name} end"
    return f"{name}::varchar" if written_as.startswith(("ENUM", "UUID")) else name


def plain_number(text: str, decimal: str, thousands: str | None) -> str:
    """Return SQL for the text of a number as DuckDB reads it; missing where marks are in wrong places."""
    if decimal == "." and thousands is None:
        return text
    mark = re.escape(thousands or "")
    whole = rf"\d{{1,3}}({mark}\d{{3}})+|\d+" if thousands else r"\d+"
    pattern = sql_text(rf"^\s*[-+]?({whole})?({re.escape(decimal)}\d*)?\s*$")
    bare = f"replace({text}, {sql_text(thousands)}, '')" if thousands else text
    return f"case when regexp_matches({text}, {pattern}) then replace({bare}, {sql_text(decimal)}, '.') end"


def _out_of_range(column: Column) -> str:
    return f"year({column.name}) not between {FIRST_YEAR} and {LAST_YEAR}"


def _needs_zone(column: Column, group: str, units: Units) -> bool:
    return column.kind is Kind.time and group == "text" and units.zone is None


def _infinite(column: Column, raw: str, group: str) -> str | None:
    if column.kind is Kind.time:
        return f"isinf({column.name})"
    if column.kind in (Kind.money, Kind.whole, Kind.number) and group in ("real", "text"):
        return f"isinf(try_cast({raw} as double))"
    return None


def _whole(raw: str, group: str) -> str:
    """Return SQL for a whole number; missing where there is a fraction."""
    if group == "integer":
        return raw
    number = {"real": f"{raw}::double", "decimal": raw}.get(group, f"try_cast({raw} as decimal(18, 6))")
    exact = f" and abs({raw}) < {2**53}" if group == "real" else ""
    return f"case when {number} = trunc({number}){exact} then {number} end"


def _identifier(raw: str, group: str, units: Units) -> str:
    """Return SQL for an identifier; data frames write integers with missing values as floats."""
    if group == "text":
        return raw
    whole = f"try_cast({_whole(raw, group)} as bigint)"
    return f"{whole}::varchar" if units.ids_as_text else whole


def _money(raw: str, group: str, decimals: int) -> str:
    """Return SQL for exact minor units; missing where the amount is finer than the minor unit."""
    unit = 10**decimals
    if group == "integer":
        return f"try_cast({raw} as bigint)" if unit == 1 else f"try_cast({raw}::hugeint * {unit} as bigint)"
    if group == "real":
        minor = f"{raw}::double * {unit}"
        return (
            f"case when abs({minor} - round({minor})) <= 1e-{SLACK_DIGITS} then try_cast(round({minor}) as bigint) end"
        )
    exact = raw if group == "decimal" else f"try_cast({raw} as decimal(18, {decimals + SLACK_DIGITS}))"
    kept = f"try_cast({exact} as decimal(18, {decimals}))"
    return f"case when {kept} = {exact} then ({kept} * {unit})::bigint end"


def _time(raw: str, group: str, zone: str | None) -> str:
    """Return SQL for a time in UTC.

    A local time skipped by the change to summer time is read with the offset before it (02:30 becomes 03:30); a time
    that occurs twice in autumn is the second one, which is DuckDB's (ICU's) choice. The session's zone is UTC.
    """
    if group == "zoned time":
        return f"timezone('UTC', {raw})"
    if group == "local time":
        return _to_utc(f"{raw}::timestamp", zone)
    seconds = (
        rf"regexp_replace({raw}, '^(.{{8,10}}[ T]\d{{1,2}}:\d{{2}})([Z+-])', '\1:00\2')"  # DuckDB requires seconds
    )
    zoned = f"timezone('UTC', coalesce(try_cast({raw} as timestamptz), try_cast({seconds} as timestamptz)))"
    is_iso = f"regexp_matches({raw}, '{_ISO}')"
    if zone in (None, "UTC"):
        return f"case when {is_iso} then {zoned} end"
    local = _to_utc(f"try_cast({raw} as timestamp)", zone)
    return f"case when regexp_matches({raw}, '{_LOCAL}') then {local} when {is_iso} then {zoned} end"


def _is_day(raw: str, group: str, zone: str | None) -> str:
    """Return SQL that is true of a date without a time of day; midnight is one, as data frames write dates."""
    if group == "text":
        return f"regexp_matches({raw}, '{_DAY}')"
    local = f"timezone('{zone or 'UTC'}', {raw})" if group == "zoned time" else f"{raw}::timestamp"
    return f"{local} = date_trunc('day', {local})"


def _to_utc(local: str, zone: str | None) -> str:
    return local if zone in (None, "UTC") else f"timezone('UTC', timezone('{zone}', {local}))"
