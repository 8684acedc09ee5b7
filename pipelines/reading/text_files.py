"""Parses text files with DuckDB, with all values as text: what a column holds is found from its values."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.engine.duckdb_engine import in_memory, literal, quoted
from pipelines.errors import DataError
from pipelines.reading.settings import ReadingSettings
from pipelines.reading.text_layout import TextLayout, is_utf8, layout_of, open_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

AT_ONCE = 100_000
"""Rows of a batch."""
TRAILING = "after the last delimiter"
"""The column of what follows a trailing delimiter: always empty."""


@dataclass(frozen=True)
class TextFile:
    """A text file in UTF-8 and its layout. `origin` is the user's file, which messages name."""

    path: Path
    layout: TextLayout
    origin: Path
    group: str = "data"

    @property
    def sql(self) -> str:
        """SQL that reads the file."""
        names = [*self.layout.names, *([TRAILING] if self.layout.is_trailing else [])]
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        compression = "gzip" if self.path.name.lower().endswith(".gz") else "none"
        rows = (
            f"read_csv({literal(str(self.path))}, auto_detect=false, header={str(self.layout.has_header).lower()}, "
            f"delim={literal(self.layout.delimiter)}, quote='\"', escape='\"', columns={{{columns}}}, "
            f"compression={literal(compression)}, hive_partitioning=false)"
        )
        if not self.layout.is_trailing:
            return f"(from {rows})"
        wrong = f"error({literal(f'a value follows the last named column {names[-2]!r}')})"
        values = ", ".join(quoted(name) for name in self.layout.names)
        return f"(select {values} from {rows} where case when {quoted(TRAILING)} is null then true else {wrong} end)"


def open_text_file(path: Path, settings: ReadingSettings, scratch: Path, *, group: str = "data") -> TextFile:
    """Return a text file and its layout; one that is not in UTF-8 is written again below `scratch`.

    Raises:
        DataError: see `layout_of`.
    """
    layout = layout_of(path, settings, group=group)
    if is_utf8(settings.encoding):
        return TextFile(path, layout, path, group)
    scratch.mkdir(parents=True, exist_ok=True)
    copy = scratch / f"utf8-{len(list(scratch.glob('utf8-*')))}.csv"
    try:
        with open_text(path, settings.encoding) as source, copy.open("w", encoding="utf-8", newline="") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except UnicodeError as error:
        raise DataError(
            f"'{path}' cannot be read as csv (it is not {settings.encoding}: {error}); correct {group}.encoding"
        ) from error
    return TextFile(copy, layout, path, group)


def text_batches(file: TextFile, rows: int = AT_ONCE) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a text file in their order. Raises DataError for a row that does not fit the header."""
    with in_memory() as connection, readable_text(file):
        yield from connection.sql(f"from {file.sql}").to_arrow_reader(rows)


def write_parquet(file: TextFile, target: Path, connection: "DuckDBPyConnection | None" = None) -> None:
    """Write a text file as Parquet, with all values as text. Raises DataError as `text_batches` does."""
    with readable_text(file):
        command = f"copy {file.sql} to {literal(str(target))} (format parquet)"
        if connection is not None:
            connection.execute(command)
            return
        with in_memory() as own:
            own.execute(command)


@contextmanager
def readable_text(file: TextFile) -> Iterator[None]:
    """Turn DuckDB's error for a malformed text file into a DataError."""
    import duckdb

    try:
        yield
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException, pa.ArrowInvalid) as error:
        lines = str(error).partition("\n\n")[0].splitlines()[:3]
        reason = ", ".join(lines).partition(" Error: ")[2] or lines[0]
        advice = "check the file"
        if "unicode" in reason.lower() or "utf" in reason.lower():
            advice = f"set {file.group}.encoding, for example {file.group}.encoding=latin-1"
        raise DataError(f"'{file.origin}' cannot be read as csv ({reason}); {advice}") from error
