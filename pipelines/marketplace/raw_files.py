"""Finds the files of a table in a user's folder and fingerprints their bytes."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import DataError
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.tables import CONTRACTS

FORMATS = (".parquet", ".csv")


@dataclass(frozen=True)
class RawFiles:
    """The files of one table, all of one format."""

    table: str
    paths: tuple[Path, ...]

    @property
    def is_csv(self) -> bool:
        """Whether the files are CSV."""
        return self.paths[0].suffix.lower() == ".csv"


def find_files(raw: RawSettings, table: str) -> RawFiles:
    """Return the files of a table.

    Raises:
        DataError: there is no such file; a folder has neither Parquet nor CSV files, or both.
    """
    source = _source(raw, table)
    paths = tuple(sorted(_files_below(source))) if source.is_dir() else (source,)
    formats = {path.suffix.lower() for path in paths}
    if len(formats) != 1 or not formats <= set(FORMATS):
        listed = " and ".join(sorted(formats)) or "no .parquet or .csv"
        raise DataError(
            f"'{source}' of {table} has {listed} files; keep only .parquet or only .csv files or name another path in "
            f"raw.tables.{table}.path"
        )
    return RawFiles(table, paths)


def fingerprint_raw(raw: RawSettings, threads: int) -> dict[str, str]:
    """Return the SHA-256 of each table's files by their bytes; file names and their order do not change it.

    It is read at the speed of the disk, so that an unchanged folder is recognised before any work. The same rows
    written in another order have another fingerprint.
    """
    return {contract.name: fingerprint_of(find_files(raw, contract.name), threads) for contract in CONTRACTS}


def fingerprint_of(files: RawFiles, threads: int) -> str:
    """Return the SHA-256 of the sorted SHA-256 of the files of one table."""
    with ThreadPoolExecutor(threads) as pool:
        digests = sorted(pool.map(_digest, files.paths))
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def unreadable(table: str, path: Path, error: Exception) -> DataError:
    """Return the error for a file that cannot be read, with the first lines of DuckDB's message."""
    lines = str(error).partition("\n\n")[0].splitlines()[:3]
    reason = ", ".join(lines).partition(" Error: ")[2] or lines[0]
    return DataError(f"'{path}' of {table} cannot be read as {path.suffix[1:]} ({reason}); write the file again")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _source(raw: RawSettings, table: str) -> Path:
    folder = Path(raw.folder).expanduser()
    path = raw.tables.of(table).path
    paths = [folder / path] if path else [folder / table, *(folder / f"{table}{suffix}" for suffix in FORMATS)]
    existing = next((path for path in paths if path.exists()), None)
    if existing is None:
        tried = " or ".join(f"'{path}'" for path in paths)
        raise DataError(f"table {table} does not exist at {tried}; correct raw.folder or raw.tables.{table}.path")
    return existing


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the data files below a folder, without files such as _SUCCESS and .part.crc."""
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if path.suffix.lower() in FORMATS and not any(part.startswith(("_", ".")) for part in inside):
            yield path
