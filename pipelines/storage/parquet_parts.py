"""A Parquet input as parts: runs of row groups of one file, each small enough to be scored at once."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import DataError
from pipelines.storage.fingerprint import fingerprint_record

LEAST_ROWS, MOST_ROWS = 100_000, 250_000
"""Row groups of one file are taken together up to the first, and cut where one of them holds more than the second."""
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""The name that Hive gives the folder of missing values."""


@dataclass(frozen=True)
class Part:
    """Rows of one file: `rows` of them from row `skip` of the row groups `groups` on.

    `name` is that of the partition in the log, `fingerprint` identifies the content and the rows; `first` is the
    number of its first row in the file. `partition` has the columns that the names of its folders give all rows.
    """

    name: str
    file: str
    groups: tuple[int, ...]
    skip: int
    rows: int
    first: int
    fingerprint: str
    partition: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True)
class ParquetInput:
    """The parts of all files, in order, and the fingerprint of the whole.

    A fingerprint is made of the files' names below the input, their sizes and their footers: columns, rows, and of each
    row group the sizes and, where the writer recorded them, the extremes of each column. Rows are not read for it.
    """

    parts: tuple[Part, ...]
    fingerprint: str
    schemas: tuple[tuple[str, pa.Schema], ...]

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(part.rows for part in self.parts)

    def named_for(self, roles: Sequence[str | None]) -> "ParquetInput":
        """Return the input with names of parts that depend on settings which decide what decisions a row makes."""
        return replace(self, parts=tuple(replace(part, name=_name(part, roles)) for part in self.parts))


def is_parquet(path: Path) -> bool:
    """Return whether a path is a Parquet file, or a folder that holds some."""
    return path.suffix.lower() == ".parquet" if path.is_file() else next(_found(path), None) is not None


def partition_of(relative: Path) -> dict[str, str | None]:
    """Return the values that the names of a file's folders give its rows.

    >>> partition_of(Path("channel=web/month=2026-10/part-0.parquet"))
    {'channel': 'web', 'month': '2026-10'}
    """
    named = (part.partition("=") for part in relative.parts[:-1])
    return {unquote(key): None if value == NO_VALUE else unquote(value) for key, mark, value in named if mark and key}


def survey(path: Path) -> ParquetInput:
    """Return the parts of a Parquet input; their files are absolute paths, for processes that work in another folder.

    Raises:
        DataError: a file is not Parquet.
    """
    path = path.absolute()
    files = [path] if path.is_file() else sorted(_found(path))
    parts: list[Part] = []
    schemas: list[tuple[str, pa.Schema]] = []
    contents: list[tuple[str, str]] = []
    for file in files:
        name = file.name if file == path else file.relative_to(path).as_posix()
        content, metadata = _footer(file)
        contents.append((name, content))
        schema = metadata.schema.to_arrow_schema()
        partition = {} if file == path else partition_of(file.relative_to(path))
        folders = tuple((key, value) for key, value in partition.items() if key not in schema.names)
        for key, _ in folders:
            schema = schema.append(pa.field(key, pa.string()))
        schemas.append((str(file), schema))
        fingerprint = fingerprint_record([name, content])
        parts += (replace(part, partition=folders) for part in _parts(file, fingerprint, metadata))
    return ParquetInput(tuple(parts), fingerprint_record(contents), tuple(schemas))


def read_tables(parts: Sequence[Part], columns: Sequence[str], levels: Sequence[str]) -> Iterator[pa.Table]:
    """Yield the rows of parts that follow each other within one file; `levels` are columns to be read as codes.

    Columns that the file lacks are left out; those of its folders follow the others.
    """
    folders = [(name, value) for name, value in parts[0].partition if name in columns]
    for rows in _tables_of_file(parts, columns, levels):
        table = rows
        for name, value in folders:
            table = table.append_column(name, pa.array([value] * len(rows), pa.string()))
        yield table


def _tables_of_file(parts: Sequence[Part], columns: Sequence[str], levels: Sequence[str]) -> Iterator[pa.Table]:
    first = parts[0]
    metadata = _metadata(first.file, Path(first.file).stat().st_mtime_ns)
    held = set(metadata.schema.names)
    coded = [name for name in levels if name in held]
    options: dict[str, Any] = {"read_dictionary": coded, "page_checksum_verification": True}
    with (
        _readable(Path(first.file)),
        pq.ParquetFile(first.file, metadata=metadata, pre_buffer=False, **options) as opened,
    ):
        if len(parts) == 1 and not first.skip and first.rows == _rows_of(opened.metadata, first.groups):
            yield opened.read_row_groups(list(first.groups), columns=list(columns), use_threads=False)
            return
        yield from _slices(opened, parts, columns)


def tasks(parts: Sequence[Part], processes: int) -> list[tuple[Part, ...]]:
    """Return parts as they are worked on: those cut out of one row group in one go, for it is read from its start.

    Where there are fewer row groups than processes, a row group is shared.
    """
    by_group: dict[tuple[str, tuple[int, ...]], list[Part]] = {}
    for part in parts:
        by_group.setdefault((part.file, part.groups), []).append(part)
    shares = -(-processes // max(len(by_group), 1)) if len(by_group) < processes else 1
    return [some for group in by_group.values() for some in _shared(group, shares)]


@lru_cache(maxsize=1)
def _metadata(file: str, changed: int) -> Any:  # noqa: ARG001
    """Return the metadata of a file: of a large one they take as long to read as a part."""
    return pq.read_metadata(file)


def _shared(parts: Sequence[Part], shares: int) -> Iterator[tuple[Part, ...]]:
    size = -(-len(parts) // shares)
    return (tuple(parts[start : start + size]) for start in range(0, len(parts), size))


def _slices(opened: pq.ParquetFile, parts: Sequence[Part], columns: Sequence[str]) -> Iterator[pa.Table]:
    """Read a row group that is larger than a part slice by slice; those before the first part are passed over."""
    groups, size = list(parts[0].groups), max(part.rows for part in parts)
    batches = opened.iter_batches(size, row_groups=groups, columns=list(columns), use_threads=False)
    held, start = pa.Table.from_batches([next(batches)]), 0
    for part in parts:
        while start + len(held) < part.skip + part.rows:
            kept = held.slice(max(part.skip - start, 0))
            start += len(held) - len(kept)
            held = pa.concat_tables([kept, pa.Table.from_batches([next(batches)])])
        yield held.slice(part.skip - start, part.rows)


def _found(folder: Path) -> Iterator[Path]:
    hidden = (".", "_")
    return (file for file in folder.rglob("*.parquet") if not file.name.startswith(hidden))


def _footer(file: Path) -> tuple[str, Any]:
    try:
        with file.open("rb") as opened:
            size = opened.seek(0, 2)
            opened.seek(max(size - 8, 0))
            length = int.from_bytes(opened.read(4), "little")
            opened.seek(max(size - 8 - length, 0))
            footer = opened.read(length)
        return hashlib.sha256(footer + str(size).encode()).hexdigest(), pq.read_metadata(file)
    except (OSError, pa.ArrowException) as error:
        raise unreadable_parquet(file, error) from error


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Turn the error for a damaged file into a DataError."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise unreadable_parquet(file, error) from error


def unreadable_parquet(path: Path, error: Exception) -> DataError:
    """Return the error for a damaged Parquet file."""
    return DataError(f"'{path}' cannot be read as parquet ({str(error).splitlines()[0]}); check the file")


def _name(part: Part, roles: Sequence[str | None]) -> str:
    return f"{fingerprint_record([part.fingerprint, *roles])[:16]}-{part.first:010d}-{part.rows}"


def _parts(file: Path, content: str, metadata: Any) -> Iterator[Part]:
    first = 0
    for groups, rows in _runs([metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]):
        pieces = -(-rows // MOST_ROWS) if len(groups) == 1 else 1
        size = -(-rows // max(pieces, 1))
        for skip in range(0, rows, size or 1):
            held = min(size, rows - skip)
            fingerprint = fingerprint_record([content, first + skip, held])
            part = Part("", str(file), groups, skip, held, first + skip, fingerprint)
            yield replace(part, name=_name(part, ()))
        first += rows


def _runs(sizes: Sequence[int]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield runs of row groups with their rows: as few groups as make a part, a large one alone."""
    run: list[int] = []
    rows = 0
    for group, size in enumerate(sizes):
        if run and rows + size > MOST_ROWS:
            yield tuple(run), rows
            run, rows = [], 0
        run.append(group)
        rows += size
        if rows >= LEAST_ROWS:
            yield tuple(run), rows
            run, rows = [], 0
    if run:
        yield tuple(run), rows


def _rows_of(metadata: Any, groups: Sequence[int]) -> int:
    return sum(metadata.row_group(group).num_rows for group in groups)
