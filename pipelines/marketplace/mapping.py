"""Maps the columns of a user's files to those of the contracts, and checks their types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.engine.duckdb_engine import sql_parquet
from pipelines.errors import ConfigurationError, DataError, nearest
from pipelines.marketplace.column_mapping import ZONED, ColumnMapping, read_mapping
from pipelines.marketplace.raw_files import RawFiles, unreadable
from pipelines.marketplace.readings import family, is_readable, noun, sql_type
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.tables import CONTRACTS, OWN_APPLICATIONS, Column, Kind, TableContract

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CURRENCY = "currency"
"""A column outside the contracts, read only to check that all amounts are in one currency."""


class MissingColumns(DataError):
    """A table without columns that its contract or its mapping names."""


@dataclass(frozen=True)
class MappedColumn:
    """A column of a contract in a user's table: its name there, its mapping, and the type of what is written.

    `sql` is the value as written, over the table's files.
    """

    name: str
    mapping: ColumnMapping
    type: str

    @property
    def sql(self) -> str:
        """SQL of the value as written."""
        return self.mapping.source_sql(self.name)

    def mapped_type(self, column: Column) -> str:
        """The type of the mapped value."""
        return self.mapping.convert(column, "x", self.type)[1]


@dataclass(frozen=True)
class MappedTable:
    """A table's Parquet files, and the columns of its contract in them.

    `erased` is SQL that is true of the rows of erased people, which are left out. A table that `is_absent` has no
    source and no rows.
    """

    contract: TableContract
    files: tuple[Path, ...]
    columns: Mapping[str, MappedColumn]
    currency: str | None
    erased: str = ""
    is_absent: bool = False

    @property
    def everything(self) -> str:
        """SQL that reads the files."""
        return sql_parquet(self.files)

    @property
    def relation(self) -> str:
        """SQL that reads the files without the rows of erased people."""
        return f"(from {self.everything} where not {self.erased})" if self.erased else self.everything

    @property
    def present(self) -> tuple[Column, ...]:
        """The columns of the contract that the files have."""
        return tuple(column for column in self.contract.columns if column.name in self.columns)


def empty_table(contract: TableContract, scratch: Path) -> MappedTable:
    """Return a table without rows, with all columns of its contract."""
    columns = {column.name: sql_type(column, ids_as_text=False) for column in contract.columns}
    types = {"bigint": pa.int64(), "integer": pa.int32(), "double": pa.float64(), "boolean": pa.bool_()}
    times = pa.timestamp("us", "UTC")
    schema = pa.schema(
        [(name, times if kind == "timestamp" else types.get(kind, pa.string())) for name, kind in columns.items()]
    )
    path = scratch / f"no-{contract.name}.parquet"
    pq.write_table(schema.empty_table(), path)
    duckdb_types = {name: ZONED if kind == "timestamp" else kind.upper() for name, kind in columns.items()}
    mapped = {name: MappedColumn(name, ColumnMapping(), kind) for name, kind in duckdb_types.items()}
    return MappedTable(contract, (path,), mapped, None, is_absent=True)


def check_settings(connection: "DuckDBPyConnection", raw: RawSettings) -> None:
    """Check the settings of raw tables.

    Raises:
        ConfigurationError: a share or decimals out of range; an unknown time zone; a mapping of an unknown column.
    """
    raw.check()
    zones = {name for (name,) in connection.execute("select name from pg_timezone_names()").fetchall()}
    for contract in (*CONTRACTS, OWN_APPLICATIONS):
        zone = raw.zone_of(contract.name)
        if zone is not None and zone not in zones:
            guess = nearest(zone, zones)
            hint = guess if guess.startswith("did") else "use an IANA name such as Europe/Berlin"
            raise ConfigurationError(f"raw.time_zone is '{zone}', which is not an IANA time zone; {hint}")
        names = {column.name for column in contract.columns} | {CURRENCY}
        for name in raw.tables.of(contract.name).columns:
            if name not in names:
                raise ConfigurationError(
                    f"raw.tables.{contract.name}.columns has '{name}', which is not a column of the contract; "
                    f"{nearest(name, names)}"
                )
        _mappings(raw, contract)


def map_table(
    connection: "DuckDBPyConnection", raw: RawSettings, contract: TableContract, files: RawFiles, parts: Sequence[Path]
) -> MappedTable:
    """Return the user's column of each column of a contract. `parts` are `files` as Parquet, in the same order.

    Raises:
        DataError: a file is not readable; two files have different columns; the table is empty; a mapped or required
            column is missing; a column's type cannot be read as its kind; local times have no time zone.
    """
    types = _types(connection, files, parts)
    if not connection.execute(f"select 1 from {sql_parquet(parts)} limit 1").fetchall():
        raise DataError(f"{contract.name} has no rows in '{files.paths[0]}'; check raw.tables.{contract.name}.path")
    columns = _columns(raw, contract, types)
    mapped = MappedTable(contract, tuple(parts), columns, _currency_column(raw, contract, types))
    empty = {column.name for column in contract.columns if _cannot_be_read(connection, raw, mapped, column)}
    filled = {name: column for name, column in columns.items() if name not in empty}
    return MappedTable(contract, tuple(parts), filled, mapped.currency)


def _types(connection: "DuckDBPyConnection", files: RawFiles, parts: Sequence[Path]) -> dict[str, str]:
    """Return the columns of a table and their types. Raises DataError where its files have different columns."""
    first = _described(connection, files.table, files.paths[0], parts[0])
    for path, part in zip(files.paths[1:], parts[1:], strict=True):
        other = _described(connection, files.table, path, part)
        differs = sorted(first.keys() ^ other.keys()) or sorted(_mixed_zones(first, other))
        if differs:
            raise DataError(
                f"'{path}' and '{files.paths[0]}' of {files.table} differ in {', '.join(differs)}; give all files the "
                f"same columns or name one file in raw.tables.{files.table}.path"
            )
    described = connection.execute(f"describe select * from {sql_parquet(parts)}").fetchall()
    return {str(name): str(written_as) for name, written_as, *_ in described}


def _mixed_zones(first: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    """Return the time columns with a zone in one file and none in the other: read together they would shift."""
    kinds = {"local time", "zoned time"}
    return {name for name in first if {family(first[name]), family(other[name])} == kinds}


def _described(connection: "DuckDBPyConnection", table: str, path: Path, part: Path) -> dict[str, str]:
    import duckdb

    try:
        described = connection.execute(f"describe select * from {sql_parquet([part])}").fetchall()
    except duckdb.Error as error:
        raise unreadable(table, path, error) from error
    return {str(name): str(written_as) for name, written_as, *_ in described}


def _mappings(raw: RawSettings, contract: TableContract) -> dict[str, ColumnMapping]:
    """Return the declared mapping of each column. Raises ConfigurationError for one that the column cannot have."""
    declared = raw.tables.of(contract.name).columns
    return {
        column.name: read_mapping(contract.name, column, declared[column.name])
        for column in contract.columns
        if column.name in declared
    }


def _columns(raw: RawSettings, contract: TableContract, types: Mapping[str, str]) -> dict[str, MappedColumn]:
    """Return the columns of a contract in a table. Raises MissingColumns, which names all of them."""
    mappings, columns, missing = _mappings(raw, contract), dict[str, MappedColumn](), list[str]()
    for column in contract.columns:
        mapping = mappings.get(column.name, ColumnMapping())
        name = mapping.source or column.name
        if mapping.source_type is not None:
            columns[column.name] = MappedColumn(name, mapping, mapping.source_type)
        elif name in types:
            columns[column.name] = MappedColumn(name, mapping, types[name])
        elif column.name in mappings:
            missing.append(_no_column(contract, column.name, name, types))
        elif not column.optional:
            missing.append(
                f"{contract.name} has no column {column.name}; name the column in "
                f"raw.tables.{contract.name}.columns.{column.name}; {nearest(name, types)}"
            )
    if missing:
        raise MissingColumns("; ".join(missing))
    return columns


def _no_column(contract: TableContract, column: str, name: str, types: Mapping[str, str]) -> str:
    return (
        f"raw.tables.{contract.name}.columns.{column} is '{name}', which is not a column of the files; "
        f"{nearest(name, types)}"
    )


def _currency_column(raw: RawSettings, contract: TableContract, types: Mapping[str, str]) -> str | None:
    mapped = raw.tables.of(contract.name).columns.get(CURRENCY)
    if mapped is not None and not isinstance(mapped, str):
        raise ConfigurationError(
            f"raw.tables.{contract.name}.columns.{CURRENCY} is {mapped}; write a column's name, or set raw.currency"
        )
    if mapped is not None and mapped not in types:
        raise DataError(_no_column(contract, CURRENCY, mapped, types))
    return mapped or (CURRENCY if CURRENCY in types else None)


def _cannot_be_read(connection: "DuckDBPyConnection", raw: RawSettings, table: MappedTable, column: Column) -> bool:
    """Return whether an unreadable column is empty, as one without a type is; raise DataError where it has values."""
    if column.name not in table.columns:
        return False
    mapped = table.columns[column.name]
    mapped_type = mapped.mapped_type(column)
    no_zone = family(mapped_type) == "local time" and raw.zone_of(table.contract.name) is None
    if is_readable(column.kind, mapped_type) and not (column.kind is Kind.time and no_zone):
        return False
    query = f"select {mapped.sql}::varchar from {table.relation} where {mapped.sql} is not null limit 1"
    example = connection.execute(query).fetchone()
    if example is None and column.optional:
        return True
    where = f"'{mapped.name}' of {table.contract.name}"
    if is_readable(column.kind, mapped_type) and example is not None:
        raise DataError(
            f"time column {where} has no time zone ({example[0]}) and raw.time_zone is not set; "
            f"add raw.time_zone=UTC or the zone of the times"
        )
    raise DataError(
        f"column {where} has the type {mapped_type}{f' ({example[0]})' if example else ''}, and {column.name} is "
        f"{noun(column.kind, raw.scale)}; convert it or name another column in "
        f"raw.tables.{table.contract.name}.columns.{column.name}"
    )
