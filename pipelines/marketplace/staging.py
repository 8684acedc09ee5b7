"""Raw tables ready to be scanned: as Parquet, in one currency, without erased people; and errors of their scans."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.duckdb_engine import sql_name, sql_parquet
from pipelines.erasures.record import Erasures
from pipelines.erasures.salt import Kind, hashed_in_sql
from pipelines.errors import DataError, ThinfileError
from pipelines.marketplace.mapping import MappedTable, MissingColumns, empty_table, map_table
from pipelines.marketplace.raw_files import RawFiles, as_parquet, unreadable
from pipelines.marketplace.readings import family, plain_number
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.sources import TableSource
from pipelines.marketplace.table_sql import Resources, run_select
from pipelines.marketplace.tables import CONTRACTS
from pipelines.reading.files import TableFile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def staged_tables(
    connection: "DuckDBPyConnection", raw: RawSettings, sources: Mapping[str, TableSource], resources: Resources
) -> list[MappedTable]:
    """Return the tables in the order of the contracts, with CSV files and SELECTs as Parquet.

    A table without a source is empty.

    Raises:
        DataError: see `map_table`; missing columns of all tables are named at once.
    """
    tables, missing = list[MappedTable](), list[str]()
    for contract in CONTRACTS:
        if contract.name not in sources:
            tables.append(empty_table(contract, resources.scratch))
            continue
        files, parts = as_parquet_of(connection, raw, sources[contract.name], resources)
        try:
            with named_files(connection, {contract.name: parts}):
                tables.append(map_table(connection, raw, contract, files, parts))
        except MissingColumns as error:
            missing.append(str(error))
    if missing:
        raise DataError("; ".join(missing))
    return tables


def as_parquet_of(
    connection: "DuckDBPyConnection", raw: RawSettings, source: TableSource, resources: Resources
) -> tuple[RawFiles, list[Path]]:
    """Return the files of a table and the same as Parquet."""
    if source.sql is None:
        (files,) = source.files
        return files, as_parquet(connection, files, resources.scratch)
    folder = resources.scratch / "selected" / source.table
    views = {files.table: as_parquet(connection, files, folder) for files in source.files}
    selected = folder / "rows.parquet"
    number = f"({plain_number('given', raw.decimal, raw.thousands)})::decimal(18, 6)"
    run_select(source.table, source.sql, views, selected, resources, number)
    return RawFiles(source.table, (TableFile(selected),)), [selected]


def one_currency(connection: "DuckDBPyConnection", raw: RawSettings, tables: Sequence[MappedTable]) -> str | None:
    """Return the currency of all tables with a currency column, or the configured one.

    Raises:
        DataError: a currency column has two values or an empty row, or differs from another table or raw.currency.
    """
    currency, source = raw.currency, "raw.currency"
    for table in tables:
        if table.currency is None:
            continue
        name = table.contract.name
        query = f"select distinct {sql_name(table.currency)}::varchar from {table.relation} order by all nulls last"
        values = [value for (value,) in connection.execute(query).fetchall()]
        if len(values) > 1 or values[0] is None or values[0] != (currency or values[0]):
            listed = " and ".join("empty rows" if value is None else value for value in values[:3])
            expected = f" where {source} is {currency}" if currency else ""
            raise DataError(
                f"currency column '{table.currency}' of {name} has {listed}{expected}; convert the amounts to one "
                "currency or prepare each currency separately"
            )
        currency, source = values[0], f"that of {name}"
    return currency


def without_erased(
    connection: "DuckDBPyConnection", tables: Sequence[MappedTable], erasures: Erasures
) -> list[MappedTable]:
    """Return tables without the rows of erased customers and the instalments of their applications."""
    if not erasures:
        return list(tables)
    by_name = {table.contract.name: without_customers(connection, table, erasures) for table in tables}
    applications, instalments = by_name["applications"], by_name["instalments"]
    connection.execute(
        f"create temp table erased_applications as select distinct {_id(applications, 'application_id')} as id "
        f"from {applications.everything} where {applications.erased}"
    )
    is_erased = f"{_id(instalments, 'application_id')} in (select id from erased_applications where id is not null)"
    by_name["instalments"] = replace(instalments, erased=f"coalesce({is_erased}, false)")
    return list(by_name.values())


def without_customers(connection: "DuckDBPyConnection", table: MappedTable, erasures: Erasures) -> MappedTable:
    """Return a table without the rows of erased customers."""
    if not erasures or "customer_id" not in table.columns:
        return table
    name = f"erased_from_{table.contract.name}"
    connection.execute(f"create temp table {name} (hash varchar)")
    hashes = [[one] for one in sorted(erasures.customers)]
    connection.executemany(f"insert into {name} values (?)", hashes)
    hashed = hashed_in_sql(erasures.salt, Kind.customer, _id(table, "customer_id"))
    return replace(table, erased=f"coalesce({hashed} in (select hash from {name}), false)")


def _id(table: MappedTable, column: str) -> str:
    """Return SQL of an id as the text that is hashed: text as it is written, a number in its digits."""
    mapped = table.columns[column]
    is_text = family(mapped.type) == "text"
    return f"{mapped.sql}::varchar" if is_text else f"try_cast({mapped.sql} as bigint)::varchar"


@contextmanager
def explained_shortage(memory_limit: str) -> Iterator[None]:
    """Turn DuckDB's error for exhausted memory or disk into a ThinfileError."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise ThinfileError(
            f"the intake needs more memory than memory={memory_limit}, or more disk for temporary files; raise memory "
            "or free some disk"
        ) from error


@contextmanager
def named_files(connection: "DuckDBPyConnection", files: Mapping[str, Sequence[Path]]) -> Iterator[None]:
    """Turn DuckDB's error while it scans tables into a DataError that names the broken file."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        for table, paths in files.items():
            for path in paths:
                _read_through(connection, table, path)
        raise ThinfileError(f"the intake failed ({error}); run again with debug=true") from error


def _read_through(connection: "DuckDBPyConnection", table: str, path: Path) -> None:
    import duckdb

    try:
        connection.execute(f"select bit_xor(hash(row)) from {sql_parquet([path])} as row").fetchall()
    except duckdb.Error as error:
        raise unreadable(table, path, error) from error
