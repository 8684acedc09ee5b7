"""The files of a table in a user's folder: as Parquet, and the fingerprint of their bytes."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.duckdb_engine import reason_of
from pipelines.errors import DataError
from pipelines.marketplace.settings import RawSettings
from pipelines.reading.files import SUFFIXES, TableFile
from pipelines.reading.files import find_files as files_of_table
from pipelines.reading.settings import TextSettings, check_text
from pipelines.reading.text_files import open_text_file, write_parquet, write_partition
from pipelines.storage.fingerprint import fingerprint_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class RawFiles:
    """The files of one table, all of one format; `text` divides text files and is set in the group `group`."""

    table: str
    files: tuple[TableFile, ...]
    text: TextSettings = field(default_factory=TextSettings)
    group: str = "raw"

    @property
    def paths(self) -> tuple[Path, ...]:
        """The paths of the files."""
        return tuple(file.path for file in self.files)


def find_files(raw: RawSettings, table: str) -> RawFiles:
    """Return the files of a table.

    Raises:
        DataError: there is no such file; a folder has neither Parquet nor text files, or both.
    """
    group, text = raw.text_of(table)
    setting = f"raw.tables.{table}.path"
    files = files_of_table(_existing(raw, table), setting=setting, any_text=text.delimiter is not None)
    return RawFiles(table, files, text, group)


def as_parquet(connection: "DuckDBPyConnection", files: RawFiles, scratch: Path) -> list[Path]:
    """Return the Parquet files of a table; text files are parsed into some below `scratch`, with all values as text.

    Columns of partitions are written into files too.

    Raises:
        ConfigurationError: text files cannot be divided as is set.
        DataError: see `open_text_file` and `write_parquet`.
    """
    if files.files[0].is_parquet and not files.files[0].partition:
        return list(files.paths)
    check_text(files.text, files.group)
    folder = scratch / "parsed" / files.table
    folder.mkdir(parents=True)
    parts = [folder / f"part-{number:05d}.parquet" for number in range(len(files.files))]
    for file, part in zip(files.files, parts, strict=True):
        if file.is_parquet:
            write_partition(file, part, connection)
        else:
            write_parquet(open_text_file(file, files.text, scratch, group=files.group), part, connection)
    return parts


def fingerprint_of(files: RawFiles, threads: int) -> str:
    """Return the SHA-256 of the sorted SHA-256 of the files of one table."""
    with ThreadPoolExecutor(threads) as pool:
        digests = sorted(pool.map(fingerprint_file, files.paths))
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def unreadable(table: str, path: Path, error: Exception) -> DataError:
    """Return the error for a file that cannot be read, with the first lines of DuckDB's message."""
    return DataError(f"'{path}' of {table} cannot be read as parquet ({reason_of(error)}); write the file again")


def path_of(raw: RawSettings, table: str) -> Path | None:
    """Return the file or folder of a table, None where it does not exist."""
    folder = Path(raw.folder).expanduser()
    path = raw.tables.of(table).path
    paths = [folder / path] if path else [folder / table, *(folder / f"{table}{suffix}" for suffix in SUFFIXES)]
    return next((one for one in paths if one.exists()), None)


def _existing(raw: RawSettings, table: str) -> Path:
    existing, path = path_of(raw, table), raw.tables.of(table).path
    if existing is None:
        kinds = "" if path else f", as a folder or a file ({', '.join(SUFFIXES)})"
        raise DataError(
            f"table {table} does not exist at '{Path(raw.folder).expanduser() / (path or table)}'{kinds}; correct "
            f"raw.folder or raw.tables.{table}.path"
        )
    return existing
