"""Parses text files with DuckDB, with all values as text: what a column holds is found from its values."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.engine.duckdb_engine import in_memory, reason_of, sql_name, sql_text
from pipelines.errors import DataError
from pipelines.reading.encodings import check_complete, encoding_of, is_compressed, is_utf8, open_text
from pipelines.reading.files import TableFile
from pipelines.reading.settings import TextSettings
from pipelines.reading.text_layout import TextLayout, layout_of
from pipelines.storage.atomic_files import scratch_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

AT_ONCE = 20_480
"""Rows of a batch: with these and small buffers values are handed over while they are in the processor's cache."""
BUFFER, LONGEST_LINE = 8_000_000, 2_000_000
"""Bytes that are parsed at once, and the most of a line."""
TRAILING = "after the last delimiter"
"""The column of what follows a trailing delimiter: always empty."""


@dataclass(frozen=True)
class TextFile:
    """A text file in UTF-8 and its layout. `origin` is the user's file, which messages name."""

    path: Path
    layout: TextLayout
    origin: Path
    partition: Mapping[str, str | None] = field(default_factory=dict)
    group: str = "data"

    @property
    def names(self) -> list[str]:
        """The names of the columns, those that the file's folders name after its own."""
        return [*self.layout.names, *self._folders]

    @property
    def sql(self) -> str:
        """SQL that reads the file."""
        fields = [*self.layout.names, *([TRAILING] if self.layout.is_trailing else [])]
        columns = ", ".join(f"{sql_text(name)}: 'VARCHAR'" for name in fields)
        compression = "gzip" if is_compressed(self.path) else "none"
        rows = (
            f"read_csv({sql_text(str(self.path))}, auto_detect=false, header={str(self.layout.has_header).lower()}, "
            f"delim={sql_text(self.layout.delimiter)}, quote='\"', escape='\"', columns={{{columns}}}, "
            f"compression={sql_text(compression)}, buffer_size={BUFFER}, max_line_size={LONGEST_LINE}, "
            "hive_partitioning=false)"
        )
        if not self.layout.is_trailing and not self._folders:
            return f"(from {rows})"
        values = [sql_name(name) for name in self.layout.names]
        values += [f"{_sql_value(value)} as {sql_name(name)}" for name, value in self._folders.items()]
        if self.layout.is_trailing:
            wrong = f"error({sql_text(f'a value follows the last named column {self.layout.names[-1]!r}')})"
            rows = f"{rows} where case when {sql_name(TRAILING)} is null then true else {wrong} end"
        return f"(select {', '.join(values)} from {rows})"

    @property
    def _folders(self) -> dict[str, str | None]:
        return {name: value for name, value in self.partition.items() if name not in self.layout.names}


def open_text_file(file: TableFile, settings: TextSettings, scratch: Path, *, group: str = "data") -> TextFile:
    """Return a text file and its layout; one that is not in UTF-8 is written again below `scratch`.

    Raises:
        DataError: see `layout_of`; a compressed file ends early.
    """
    path, layout = file.path, layout_of(file.path, settings, group=group)
    check_complete(path)
    if is_utf8(layout.encoding):
        return TextFile(path, layout, path, file.partition, group)
    copy = scratch / f"utf8-{len(list(scratch.glob('utf8-*')))}.csv"
    try:
        with open_text(path, layout.encoding) as source, copy.open("w", encoding="utf-8", newline="") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except UnicodeError as error:
        raise DataError(
            f"'{path}' cannot be read as csv (it is not {layout.encoding}: {error}); correct {group}.encoding"
        ) from error
    return TextFile(copy, layout, path, file.partition, group)


@contextmanager
def scratch_of_texts(
    root: Path, files: Sequence[TableFile], settings: TextSettings, group: str = "data"
) -> Iterator[Path]:
    """Yield a folder below `root` for copies in UTF-8; it is made only where a file needs one."""
    texts = (file.path for file in files if not file.is_parquet)
    if all(is_utf8(encoding_of(path, settings.encoding, group)) for path in texts):
        yield root
    else:
        with scratch_folder(root) as scratch:
            yield scratch


def text_batches(file: TextFile, rows: int = AT_ONCE) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a text file in their order. Raises DataError for a row that does not fit the header."""
    with in_memory() as connection, readable_text(file):
        yield from connection.sql(f"from {file.sql}").to_arrow_reader(rows)


def write_parquet(file: TextFile, target: Path, connection: "DuckDBPyConnection | None" = None) -> None:
    """Write a text file as Parquet, with all values as text. Raises DataError as `text_batches` does."""
    with readable_text(file):
        command = f"copy {file.sql} to {sql_text(str(target))} (format parquet)"
        if connection is not None:
            connection.execute(command)
            return
        with in_memory() as own:
            own.execute(command)


def write_partition(file: TableFile, target: Path, connection: "DuckDBPyConnection") -> None:
    """Write a Parquet file again with the columns that its folders name; a column of its own stays as it is."""
    names = pq.read_schema(file.path).names
    folders = [
        f"{_sql_value(value)} as {sql_name(name)}" for name, value in file.partition.items() if name not in names
    ]
    rows = f"read_parquet({sql_text(str(file.path))}, hive_partitioning=false)"
    connection.execute(f"copy (select {', '.join(['*', *folders])} from {rows}) to {sql_text(str(target))}")


@contextmanager
def readable_text(file: TextFile) -> Iterator[None]:
    """Turn DuckDB's error for a malformed text file into a DataError."""
    import duckdb

    try:
        yield
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException, pa.ArrowInvalid) as error:
        reason = reason_of(error)
        advice = "check the file"
        if "state machine" in reason:
            reason, advice = "its lines end in different ways or its quotes do not match", "write it again"
        if "unicode" in reason.lower() or "utf" in reason.lower():
            advice = f"set {file.group}.encoding, for example {file.group}.encoding=latin-1"
        raise DataError(f"'{file.origin}' cannot be read as csv ({reason}); {advice}") from error


def _sql_value(value: str | None) -> str:
    return "null::varchar" if value is None else sql_text(value)
