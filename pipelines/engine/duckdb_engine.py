"""The one place that opens a DuckDB connection, and how its SQL quotes names and texts."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def connect(threads: int, memory_limit: str, scratch: Path) -> "DuckDBPyConnection":
    """Return an in-memory database in UTC that spills into `scratch` and keeps row order only where a query says so.

    `memory_limit` is DuckDB's own spelling ("4GB"); the process needs a little more. Nothing is fetched from the net.
    """
    return in_memory(
        threads=threads,
        memory_limit=memory_limit,
        temp_directory=str(scratch / "spilled"),
        preserve_insertion_order=False,
    )


def in_memory(**settings: str | bool | int) -> "DuckDBPyConnection":
    """Return an in-memory database in UTC, without DuckDB's progress bar."""
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": False, **settings})
    connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
    return connection


def reason_of(error: Exception) -> str:
    """Return the first lines of an error of DuckDB, without its kind."""
    lines = str(error).partition("\n\n")[0].splitlines()[:3]
    return ", ".join(lines).partition(" Error: ")[2] or lines[0]


def count_rows(connection: "DuckDBPyConnection", rows: str) -> int:
    """Return the number of rows of a relation, which is SQL."""
    return int(connection.execute(f"select count(*) from {rows}").fetchall()[0][0])


def sql_parquet(files: Iterable[Path]) -> str:
    """Return SQL that reads Parquet files, with columns matched by name."""
    listed = ", ".join(sql_text(str(path)) for path in files)
    return f"read_parquet([{listed}], union_by_name=true, hive_partitioning=false)"


def sql_name(name: str) -> str:
    """Return a column's or table's name as a SQL identifier.

    >>> sql_name('my "amount"')
    '"my ""amount""\"'
    """
    return '"' + name.replace('"', '""') + '"'


def sql_text(text: str) -> str:
    """Return a text as a SQL literal.

    >>> sql_text("l'argent")
    "'l''argent'"
    """
    return "'" + text.replace("'", "''") + "'"
