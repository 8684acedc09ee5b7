"""CSV files, parsed once into Parquet, all of it text: what a value means, its contract says.

Nothing about a file is guessed but the character between its fields, which its header shows: a guess from a sample can
skip lines, take a row for a comment or mend an open quotation mark, each in silence.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.duckdb_engine import literal
from pipelines.errors import DataError
from pipelines.marketplace.raw_files import RawFiles, unreadable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DELIMITERS = ",;\t|"


def as_parquet(connection: "DuckDBPyConnection", files: RawFiles, scratch: Path) -> list[Path]:
    """Return a table's files as Parquet: as they lie there, or parsed into a folder below `scratch`.

    Raises:
        DataError: a CSV file is not UTF-8, not of as many fields in each row as in its header, or names a column twice.
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
    """Return the character between the fields of a CSV file, the likeliest by its first line, and its columns."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        line = file.readline()
    delimiter = max(DELIMITERS, key=line.count)
    names = next(csv.reader([line], delimiter=delimiter), [])
    return delimiter, [name or f"column{number}" for number, name in enumerate(names, start=1)]


def _parse(connection: "DuckDBPyConnection", table: str, path: Path, part: Path) -> None:
    import duckdb

    delimiter, names = header(path)
    _check_header(table, path, names)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    rows = (
        f"read_csv({literal(str(path))}, auto_detect=false, header=true, delim={literal(delimiter)}, quote='\"', "
        f"escape='\"', columns={{{columns}}}, hive_partitioning=false)"
    )
    try:
        connection.execute(f"copy (from {rows}) to {literal(str(part))} (format parquet)")
    except duckdb.InvalidInputException as error:
        raise unreadable(table, path, error) from error


def _check_header(table: str, path: Path, names: Sequence[str]) -> None:
    spelt = [name.lower() for name in names]  # DuckDB does not tell them apart by case
    twice = [name for name in names if spelt.count(name.lower()) > 1]
    if twice or not names:
        found, remedy = (f"two called '{twice[0]}'", "rename one") if twice else ("none", "write it again")
        raise DataError(f"the first line of '{path}' must name each column of {table}, found {found}; {remedy}")
