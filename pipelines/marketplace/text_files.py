"""Parses CSV files once into Parquet, with all values as text; the contract determines their types.

Only the delimiter is detected, from the header line: detection from a sample can silently skip lines, read a row as a
comment or repair an open quotation mark.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.duckdb_engine import sql_text
from pipelines.errors import DataError
from pipelines.marketplace.raw_files import RawFiles, unreadable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DELIMITERS = ",;\t|"


def as_parquet(connection: "DuckDBPyConnection", files: RawFiles, scratch: Path) -> list[Path]:
    """Return a table's Parquet files, or its CSV files parsed into Parquet below `scratch`.

    Raises:
        DataError: a CSV file is not UTF-8, has a row with more or fewer fields than its header, or repeats a column.
    """
    if not files.is_csv:
        return list(files.paths)
    folder = scratch / "parsed" / files.table
    folder.mkdir(parents=True)
    parts = [folder / f"part-{number:05d}.parquet" for number in range(len(files.paths))]
    for path, part in zip(files.paths, parts, strict=True):
        _parse(connection, files.table, path, part)
    return parts


def header(path: Path) -> tuple[str, list[str]]:
    """Return the delimiter of a CSV file, the most frequent candidate in its first line, and its columns."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        line = file.readline()
    delimiter = max(DELIMITERS, key=line.count)
    names = next(csv.reader([line], delimiter=delimiter), [])
    return delimiter, [name or f"column{number}" for number, name in enumerate(names, start=1)]


def _parse(connection: "DuckDBPyConnection", table: str, path: Path, part: Path) -> None:
    import duckdb

    delimiter, names = header(path)
    _check_header(table, path, names)
    columns = ", ".join(f"{sql_text(name)}: 'VARCHAR'" for name in names)
    rows = (
        f"read_csv({sql_text(str(path))}, auto_detect=false, header=true, delim={sql_text(delimiter)}, quote='\"', "
        f"escape='\"', columns={{{columns}}}, hive_partitioning=false)"
    )
    try:
        connection.execute(f"copy (from {rows}) to {sql_text(str(part))} (format parquet)")
    except duckdb.InvalidInputException as error:
        raise unreadable(table, path, error) from error


def _check_header(table: str, path: Path, names: Sequence[str]) -> None:
    lower = [name.lower() for name in names]  # DuckDB ignores case
    repeated = [name for name in names if lower.count(name.lower()) > 1]
    if not names:
        raise DataError(f"the first line of '{path}' has no column names of {table}; write the file again")
    if repeated:
        raise DataError(f"the first line of '{path}' has two columns '{repeated[0]}' of {table}; rename one")
