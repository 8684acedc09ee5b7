"""The files of a table as they lie in a user's folder: which they are, and the fingerprint of their bytes."""

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
        """Whether they are text."""
        return self.paths[0].suffix.lower() == ".csv"


def find_files(raw: RawSettings, table: str) -> RawFiles:
    """Return the files of a table.

    Raises:
        DataError: nothing lies there; a folder holds neither Parquet nor CSV files, or both.
    """
    place = _place(raw, table)
    paths = tuple(sorted(_files_below(place))) if place.is_dir() else (place,)
    formats = {path.suffix.lower() for path in paths}
    if len(formats) != 1 or not formats <= set(FORMATS):
        found = " and ".join(sorted(formats)) or "no such file"
        raise DataError(
            f"the files of {table} must all be .parquet or all be .csv, found {found} at '{place}'; "
            f"keep one format or name another raw.tables.{table}.path"
        )
    return RawFiles(table, paths)


def fingerprint_raw(raw: RawSettings, threads: int) -> dict[str, str]:
    """Return the SHA-256 of each table's files, by their bytes: any changed value changes it, names and order do not.

    Read at the speed of the disk and without a database, so a run can tell beforehand that nothing has changed. The
    same rows written in another order are another fingerprint; that costs a run, never a stale answer.
    """
    return {contract.name: fingerprint_of(find_files(raw, contract.name), threads) for contract in CONTRACTS}


def fingerprint_of(files: RawFiles, threads: int) -> str:
    """Return the SHA-256 of the sorted SHA-256 of the files of one table."""
    with ThreadPoolExecutor(threads) as pool:
        digests = sorted(pool.map(_digest, files.paths))
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def unreadable(table: str, path: Path, error: Exception) -> DataError:
    """Return the error of a file that is not what its name says: of DuckDB's words the lines before its advice."""
    words = str(error).partition("\n\n")[0].splitlines()[:3]
    reason = ", ".join(words).partition(" Error: ")[2] or words[0]
    return DataError(
        f"a file of {table} must be readable as {path.suffix[1:]}, '{path}' is not ({reason}); write it again"
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _place(raw: RawSettings, table: str) -> Path:
    folder = Path(raw.folder).expanduser()
    given = raw.tables.of(table).path
    places = [folder / given] if given else [folder / table, *(folder / f"{table}{suffix}" for suffix in FORMATS)]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        looked = " or ".join(f"'{place}'" for place in places)
        raise DataError(
            f"a marketplace needs its {table}, found nothing at {looked}; correct raw.folder or raw.tables.{table}.path"
        )
    return found


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the data files below a folder; names such as _SUCCESS and .part.crc are the writer's own."""
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if path.suffix.lower() in FORMATS and not any(part.startswith(("_", ".")) for part in inside):
            yield path
