"""The raw tables, ready to be scanned, in one currency, and what is told when a file fails in mid-scan."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.duckdb_engine import quoted
from pipelines.errors import DataError, ThinfileError
from pipelines.marketplace.mapping import MappedTable, map_table, parquet
from pipelines.marketplace.raw_files import find_files, unreadable
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.tables import CONTRACTS
from pipelines.marketplace.text_files import as_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def staged_tables(connection: "DuckDBPyConnection", raw: RawSettings, scratch: Path) -> list[MappedTable]:
    """Return the tables of a folder, in the order of the contracts, CSV files as Parquet below `scratch`."""
    found = [(contract, find_files(raw, contract.name)) for contract in CONTRACTS]
    tables = []
    for contract, files in found:
        parts = as_parquet(connection, files, scratch)
        with faults_named(connection, {contract.name: parts}):
            tables.append(map_table(connection, raw, contract, files, parts))
    return tables


def one_currency(connection: "DuckDBPyConnection", raw: RawSettings, tables: Sequence[MappedTable]) -> str | None:
    """Return the currency that all tables with such a column are in, or the one that is configured.

    Raises:
        DataError: a table's column holds two, or nothing in a row, or another than a table before or the configuration.
    """
    known, source = raw.currency, "raw.currency"
    for table in tables:
        if table.currency is None:
            continue
        name = table.contract.name
        query = f"select distinct {quoted(table.currency)}::varchar from {table.relation} order by all nulls last"
        found = [value for (value,) in connection.execute(query).fetchall()]
        if len(found) > 1 or found[0] is None or found[0] != (known or found[0]):
            told = " and ".join("nothing" if value is None else value for value in found[:3])
            expected = f" where {source} is {known}" if known else ""
            raise DataError(
                f"all amounts must be in one currency, column '{table.currency}' of {name} holds {told}{expected}; "
                "convert the amounts or take in one currency at a time"
            )
        known, source = found[0], f"that of {name}"
    return known


@contextmanager
def shortage_told(memory_limit: str) -> Iterator[None]:
    """Turn what DuckDB raises when memory or the disk that it spills to is used up into one message."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise ThinfileError(
            f"the intake needs more than the {memory_limit} of memory it may use, or more disk to spill to; raise the "
            "limit or free some disk"
        ) from error


@contextmanager
def faults_named(connection: "DuckDBPyConnection", files: Mapping[str, Sequence[Path]]) -> Iterator[None]:
    """Turn what DuckDB raises while it scans the files of tables into an error that names the broken one."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        for table, paths in files.items():
            for path in paths:
                _read_through(connection, table, path)
        raise ThinfileError(f"the tables could not be taken in ({error}); run again with debug=true") from error


def _read_through(connection: "DuckDBPyConnection", table: str, path: Path) -> None:
    import duckdb

    try:
        connection.execute(f"select bit_xor(hash(row)) from {parquet([path])} as row").fetchall()
    except duckdb.Error as error:
        raise unreadable(table, path, error) from error
