"""A user's files as tables of the contracts: which column is which, of what type, and what stops the run at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.duckdb_engine import literal, quoted
from pipelines.errors import ConfigurationError, DataError, nearest
from pipelines.marketplace.raw_files import RawFiles, unreadable
from pipelines.marketplace.readings import family, is_readable, noun
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.tables import CONTRACTS, Column, Kind, TableContract

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CURRENCY = "currency"
"""Not of a contract: a column so named is looked at to make sure that all amounts are of one."""


@dataclass(frozen=True)
class MappedTable:
    """A table's Parquet files, and the columns of its contract that they hold: name -> (the user's name, its type).

    `erased` is SQL of the rows that are left out: those of people who were erased.
    """

    contract: TableContract
    files: tuple[Path, ...]
    columns: Mapping[str, tuple[str, str]]
    currency: str | None
    erased: str = ""

    @property
    def everything(self) -> str:
        """SQL that reads the files."""
        return parquet(self.files)

    @property
    def relation(self) -> str:
        """SQL that reads the rows of the files but for those that are left out."""
        return f"(from {self.everything} where not {self.erased})" if self.erased else self.everything

    @property
    def present(self) -> tuple[Column, ...]:
        """The columns of the contract that the files hold."""
        return tuple(column for column in self.contract.columns if column.name in self.columns)


def parquet(files: Sequence[Path]) -> str:
    """Return SQL that reads Parquet files, whatever order their columns are in."""
    listed = ", ".join(literal(str(path)) for path in files)
    return f"read_parquet([{listed}], union_by_name=true, hive_partitioning=false)"


def check_settings(connection: "DuckDBPyConnection", raw: RawSettings) -> None:
    """Raise for settings that no data could agree with.

    Raises:
        ConfigurationError: a share or decimals out of range; an unknown time zone; a mapped name no contract has.
    """
    raw.check()
    zones = {name for (name,) in connection.execute("select name from pg_timezone_names()").fetchall()}
    for contract in CONTRACTS:
        zone = raw.zone_of(contract.name)
        if zone is not None and zone not in zones:
            guess = nearest(zone, zones)
            hint = guess if guess.startswith("did") else "use an IANA name such as Europe/Berlin"
            raise ConfigurationError(f"time_zone must be an IANA name, received '{zone}'; {hint}")
        known = {column.name for column in contract.columns} | {CURRENCY}
        for name in raw.tables.of(contract.name).columns:
            if name not in known:
                raise ConfigurationError(
                    f"raw.tables.{contract.name}.columns maps names of the contract, received '{name}'; "
                    f"{nearest(name, known)}"
                )


def map_table(
    connection: "DuckDBPyConnection", raw: RawSettings, contract: TableContract, files: RawFiles, parts: Sequence[Path]
) -> MappedTable:
    """Return where each column of a contract lies. `parts` are the files as Parquet, in the order of `files`.

    Raises:
        DataError: a file is not readable; two files have different columns; the table is empty; a mapped or a required
            column is missing; a column's type cannot be read as its kind; local times and no time zone.
    """
    types = _types(connection, files, parts)
    if not connection.execute(f"select 1 from {parquet(parts)} limit 1").fetchall():
        raise DataError(
            f"{contract.name} must have rows, found none in '{files.paths[0]}'; check raw.tables.{contract.name}.path"
        )
    columns = _columns(raw, contract, types)
    mapped = MappedTable(contract, tuple(parts), columns, _currency_column(raw, contract, types))
    empty = {column.name for column in contract.columns if _cannot_be_read(connection, raw, mapped, column)}
    kept = {name: place for name, place in columns.items() if name not in empty}
    return MappedTable(contract, tuple(parts), kept, mapped.currency)


def _types(connection: "DuckDBPyConnection", files: RawFiles, parts: Sequence[Path]) -> dict[str, str]:
    """Return the columns of a table and their types, once it is clear that all its files have the same."""
    first = _described(connection, files.table, files.paths[0], parts[0])
    for path, part in zip(files.paths[1:], parts[1:], strict=True):
        other = _described(connection, files.table, path, part)
        differs = sorted(first.keys() ^ other.keys()) or sorted(_mixed_zones(first, other))
        if differs:
            raise DataError(
                f"the files of {files.table} must have the same columns, '{path}' and '{files.paths[0]}' differ in "
                f"{', '.join(differs)}; make them alike or name one in raw.tables.{files.table}.path"
            )
    described = connection.execute(f"describe select * from {parquet(parts)}").fetchall()
    return {str(name): str(written_as) for name, written_as, *_ in described}


def _mixed_zones(first: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    """Return times that have a zone in one file and none in the other: read together they would silently shift."""
    kinds = {"local time", "zoned time"}
    return {name for name in first if {family(first[name]), family(other[name])} == kinds}


def _described(connection: "DuckDBPyConnection", table: str, path: Path, part: Path) -> dict[str, str]:
    import duckdb

    try:
        described = connection.execute(f"describe select * from {parquet([part])}").fetchall()
    except duckdb.Error as error:
        raise unreadable(table, path, error) from error
    return {str(name): str(written_as) for name, written_as, *_ in described}


def _columns(raw: RawSettings, contract: TableContract, types: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    given = raw.tables.of(contract.name).columns
    found = {}
    for column in contract.columns:
        name = given.get(column.name, column.name)
        if name in types:
            found[column.name] = (name, types[name])
        elif column.name in given:
            raise DataError(_no_column(contract, column.name, name, types))
        elif not column.optional:
            raise DataError(
                f"{contract.name} must have a column {column.name}, found none; name another in "
                f"raw.tables.{contract.name}.columns.{column.name}; {nearest(name, types)}"
            )
    return found


def _no_column(contract: TableContract, column: str, name: str, types: Mapping[str, str]) -> str:
    return (
        f"raw.tables.{contract.name}.columns.{column} must name a column of the files, received '{name}'; "
        f"{nearest(name, types)}"
    )


def _currency_column(raw: RawSettings, contract: TableContract, types: Mapping[str, str]) -> str | None:
    given = raw.tables.of(contract.name).columns.get(CURRENCY)
    if given is not None and given not in types:
        raise DataError(_no_column(contract, CURRENCY, given, types))
    return given or (CURRENCY if CURRENCY in types else None)


def _cannot_be_read(connection: "DuckDBPyConnection", raw: RawSettings, table: MappedTable, column: Column) -> bool:
    """Return whether a column says nothing at all, which has no type; raise where it says something of a wrong type."""
    if column.name not in table.columns:
        return False
    name, written_as = table.columns[column.name]
    no_zone = family(written_as) == "local time" and raw.zone_of(table.contract.name) is None
    if is_readable(column.kind, written_as) and not (column.kind is Kind.time and no_zone):
        return False
    query = f"select {quoted(name)}::varchar from {table.relation} where {quoted(name)} is not null limit 1"
    example = connection.execute(query).fetchone()
    if example is None and column.optional:
        return True
    where = f"'{name}' of {table.contract.name}"
    if is_readable(column.kind, written_as) and example is not None:
        raise DataError(
            f"a time needs a zone, column {where} has none ({example[0]}) and no time_zone is given; "
            f"add raw.time_zone=UTC or the zone it was written in"
        )
    raise DataError(
        f"{column.name} must be {noun(column.kind, raw.scale)}, column {where} is {written_as}"
        f"{f' ({example[0]})' if example else ''}; "
        f"convert it or name another in raw.tables.{table.contract.name}.columns.{column.name}"
    )
