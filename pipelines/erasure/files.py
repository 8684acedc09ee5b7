"""The Parquet files of a workspace: finds the rows of a person, and writes a file again without them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.erasure.person import APPLICATION, DECISION, Person, ids_of
from pipelines.errors import ThinfileError
from pipelines.storage.atomic_files import whole_file


@dataclass(frozen=True)
class PersonRows:
    """A person's rows in a file: how many, and the ids of applications and decisions in them."""

    rows: int
    applications: frozenset[str] = frozenset()
    decisions: frozenset[str] = frozenset()


def files_below(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder, without links and unfinished files."""
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not _is_temporary(name))
        for name in sorted(names):
            path = Path(parent) / name
            if not _is_temporary(name) and not path.is_symlink():
                yield path


def parquet_below(folder: Path) -> Iterator[Path]:
    """Yield the Parquet files below a folder."""
    return (path for path in files_below(folder) if path.suffix == ".parquet")


def look_for(person: Person, path: Path) -> PersonRows | None:
    """Return a person's rows in a file, None where no column holds ids; only columns of ids are read."""
    with _open(path) as file:
        names = person.named_in(file.schema_arrow.names)
        if not names:
            return None
        rows, ids = 0, {APPLICATION: set[str](), DECISION: set[str]()}
        for group in range(file.num_row_groups):
            with _readable(path):
                table = file.read_row_group(group, names)
            theirs = table.filter(person.rows_of(table))
            rows += len(theirs)
            for name, values in ids.items():
                if name in names and len(theirs):
                    values |= {one for one in ids_of(theirs[name]).to_pylist() if one is not None}
    return PersonRows(rows, frozenset(ids[APPLICATION]), frozenset(ids[DECISION]))


def remove(person: Person, path: Path) -> int:
    """Write a file again without a person's rows and return how many they were; a file without any is not written.

    The other rows keep values, order and row groups; columns, types, metadata and compression stay.
    """
    person_rows = look_for(person, path)
    if person_rows is None or not person_rows.rows:
        return 0
    with _open(path) as file, whole_file(path, keeps_mode=True) as temporary:
        schema = file.schema_arrow
        with pq.ParquetWriter(temporary, schema, write_page_checksum=True, **_as_written(file)) as writer:
            for group in range(file.num_row_groups):
                with _readable(path):
                    table = file.read_row_group(group)
                kept = table.filter(pc.invert(person.rows_of(table)))
                if len(kept):
                    writer.write_table(_with_used_levels(kept).cast(schema), row_group_size=len(kept))
    return person_rows.rows


def kind_of(path: Path, root: Path) -> str:
    """Return the kind of rows in a file, by its folder below the workspace.

    >>> kind_of(Path("/w/lake/marketplace/clean/orders/bucket=3/a.parquet"), Path("/w"))
    'lake/marketplace/clean/orders'
    >>> kind_of(Path("/w/score_log/features/model=a/version=1/part.parquet"), Path("/w"))
    'score_log/features'
    >>> kind_of(Path("/w/lake/marketplace/prepared_books/0123abcd/bucket-00000.parquet"), Path("/w"))
    'lake/marketplace/prepared_books'
    """
    parts = path.relative_to(root).parts[:-1]
    named = [part for part in parts if "=" not in part]
    for index, name in enumerate(named[:-1]):
        if name.startswith("prepared"):
            del named[index + 1]  # the recipe's identity
    return "/".join(named) or "."


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ThinfileError(
            f"'{path}' cannot be read ({error}), so the erasure would be incomplete; restore it from a copy or "
            "remove it, and run the command again"
        ) from error


def _open(path: Path) -> pq.ParquetFile:
    with _readable(path):
        return pq.ParquetFile(path)


def _is_temporary(name: str) -> bool:
    return name.startswith(".") and "~" in name


def _as_written(file: pq.ParquetFile) -> dict[str, object]:
    """Return the options to write a file as it was written: compression, encoding, statistics."""
    as_arrow: dict[str, object] = {"store_schema": b"ARROW:schema" in (file.metadata.metadata or {})}
    if not file.num_row_groups:
        return as_arrow
    group = file.metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    packed = {one.path_in_schema: one.compression.lower().replace("uncompressed", "none") for one in columns}
    repeated = [one.path_in_schema for one in columns if any("DICTIONARY" in used for used in one.encodings)]
    with_statistics = [one.path_in_schema for one in columns if one.is_stats_set]
    kept: dict[str, object] = {
        "compression": packed,
        "use_dictionary": repeated or False,
        "write_statistics": with_statistics or False,
    }
    return kept | as_arrow


def _with_used_levels(table: pa.Table) -> pa.Table:
    """Return a table whose dictionaries have only the values of its rows: a level may be an id."""
    for index, name in enumerate(table.column_names):
        kind = table.schema.field(name).type
        if pa.types.is_dictionary(kind) and not kind.ordered:
            used = table[name].cast(kind.value_type).combine_chunks().dictionary_encode()
            levels = used.dictionary
            recoded = pa.DictionaryArray.from_arrays(used.indices.cast(kind.index_type), levels)
            table = table.set_column(index, table.schema.field(name), recoded)
    return table
