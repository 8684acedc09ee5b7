"""Reads a whole table into memory: its files agree in columns, and partitions are columns."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from pipelines.errors import DataError
from pipelines.reading.files import TableFile, find_files
from pipelines.reading.reading import Reading
from pipelines.reading.settings import ReadingSettings, check_reading
from pipelines.reading.text_files import open_text_file, scratch_of_texts, text_batches
from pipelines.reading.texts import is_text, plain
from pipelines.reading.values import spelled
from pipelines.storage.parquet_parts import unreadable_parquet


def read_table(
    path: Path, settings: ReadingSettings, root: Path, *, setting: str = "data.path", group: str = "data"
) -> pa.Table:
    """Return the rows of a file or folder in the order of the files' names, as they are stored.

    Columns of text files are text. Levels of an index of pandas are columns. `setting` and `group` are the settings
    that messages name; a file that is not in UTF-8 is copied below `root` for the time of reading.

    Raises:
        DataError: there is no table; a file cannot be read; two files have different columns.
    """
    files = find_files(path, setting=setting, any_text=settings.delimiter is not None)
    return unified_table(read_parts(files, settings, root, group=group))


def read_parts(
    files: Sequence[TableFile], settings: ReadingSettings, root: Path, *, group: str = "data"
) -> list[pa.Table]:
    """Return the rows of each file; see `read_table`."""
    check_reading(settings, group)
    with scratch_of_texts(root, files, settings, group) as scratch:
        parts = [_with_partition(_read(file, settings, scratch, group), file) for file in files]
    check_columns([(file.path, part.column_names) for file, part in zip(files, parts, strict=True)])
    return parts


def unified_table(parts: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of several files as one table."""
    return pa.table({name: unified([part[name] for part in parts]) for name in parts[0].column_names})


def check_columns(files: Sequence[tuple[Path, Sequence[str]]]) -> None:
    """Raise DataError with a diff where a file has other columns than the first; their order does not matter."""
    first, names = files[0]
    for path, others in files[1:]:
        more, fewer = sorted({*others} - {*names}), sorted({*names} - {*others})
        if more or fewer:
            difference = ", ".join([f"+{name}" for name in more] + [f"-{name}" for name in fewer])
            raise DataError(
                f"'{path}' has other columns than '{first}' ({difference}); give all files the same columns or name a "
                "single file"
            )


def unified(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Return the columns of several files as one; one without a type agrees with any.

    Types that differ become text in the one spelling of their values, from which the type of the whole is found.
    """
    kinds = {column.type for column in columns if not pt.is_null(column.type)}
    if len(kinds) > 1:
        columns = [plain(column) for column in columns]
        kinds = {column.type for column in columns if not pt.is_null(column.type)}
    if len(kinds) > 1 and all(pt.is_signed_integer(kind) for kind in kinds):
        kinds = {pa.int64()}
    elif len(kinds) > 1:
        columns = [as_text(column) for column in columns]
        kinds = {pa.string()}
    kind = kinds.pop() if kinds else pa.null()
    chunks = [chunk for column in columns for chunk in column.cast(kind).chunks]
    if pt.is_dictionary(kind):
        return pa.chunked_array(chunks, kind).unify_dictionaries()
    return pa.chunked_array(chunks, kind)


def parquet_schema(path: Path) -> pa.Schema:
    """Return the columns of a Parquet file. Raises DataError for one that is damaged or repeats a name."""
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise unreadable_parquet(path, error) from error
    repeated = [name for name in schema.names if schema.names.count(name) > 1]
    if repeated:
        raise DataError(f"'{path}' cannot be read as parquet (it has two columns '{repeated[0]}'); rename one")
    return schema


def parquet_columns(path: Path) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Yield the columns of a Parquet file or folder one by one, as `read_table` returns them together."""
    files = [file for file in find_files(path) if file.is_parquet]
    names = [*parquet_schema(files[0].path).names, *files[0].partition]
    for name in dict.fromkeys(names):
        parts = [_with_partition(pq.ParquetFile(file.path).read(columns=[name]), file)[name] for file in files]
        yield name, unified(parts)


def _read(file: TableFile, settings: ReadingSettings, scratch: Path, group: str) -> pa.Table:
    if not file.is_parquet:
        text = open_text_file(file, settings, scratch, group=group)
        schema = pa.schema([(name, pa.string()) for name in text.names])
        return pa.Table.from_batches(list(text_batches(text)), schema)
    parquet_schema(file.path)
    try:
        with pq.ParquetFile(file.path) as opened:
            return opened.read()
    except (OSError, pa.ArrowException) as error:
        raise unreadable_parquet(file.path, error) from error


def _with_partition(table: pa.Table, file: TableFile) -> pa.Table:
    for name, value in file.partition.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.array([value] * len(table), pa.string()))
    return table.replace_schema_metadata(None)


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as text, its values in their one spelling."""
    if is_text(column.type) or pt.is_null(column.type):
        return column.cast(pa.string())
    return pa.chunked_array(list(_spelled_chunks(column)), pa.string())


def _spelled_chunks(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    for chunk in column.chunks:
        yield pa.array(spelled(chunk, None, Reading()), pa.string())
