"""Finds the files of a table: one file, or all of a folder with the partitions that its folders name."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import DataError
from pipelines.reading.delta import is_delta_folder
from pipelines.storage.fingerprint import fingerprint_file
from pipelines.storage.parquet_parts import partition_of

PARQUET = ".parquet"
TEXT_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
SUFFIXES = (PARQUET, *TEXT_SUFFIXES)
AT_ONCE = 4
"""Files hashed at once."""


@dataclass(frozen=True)
class TableFile:
    """A file, and the values that the names of its folders give all its rows (`channel=web`)."""

    path: Path
    partition: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def is_parquet(self) -> bool:
        """Whether the file is Parquet; the others are text."""
        return self.path.name.lower().endswith(PARQUET)


def has_files(path: Path) -> bool:
    """Return whether a path is a file, or a folder with a file that can be read."""
    return path.is_file() or next(_below(path), None) is not None


def find_files(path: Path, *, setting: str = "data.path", any_text: bool = False) -> tuple[TableFile, ...]:
    """Return the files of a table in the order of their names.

    `any_text` takes a file of any other suffix for text. `setting` names the path in messages.

    Raises:
        DataError: there is no file; the suffix is none that is read; a folder holds Parquet and text files; files lie
            in folders that name other partitions.
    """
    if path.is_file():
        if not path.name.lower().endswith(SUFFIXES) and not any_text:
            raise DataError(
                f"{setting} ends in '{path.name}'; convert the file to {' or '.join(SUFFIXES)}, or set a delimiter to "
                "read it as text"
            )
        return (TableFile(path),)
    if is_delta_folder(path):
        raise DataError(
            f"'{path}' is a Delta table, whose files are those of all its versions; name it in a path of its own, such "
            "as data.path or raw.tables.TABLE.path"
        )
    files = tuple(TableFile(file, partition_of(file.relative_to(path))) for file in sorted(_below(path)))
    if not files:
        raise DataError(
            f"{setting} is '{path}', where there is no table; set it to a file ({', '.join(SUFFIXES)}) or a folder of "
            "such files"
        )
    if len({file.is_parquet for file in files}) > 1:
        raise DataError(f"'{path}' has Parquet and text files; keep only one kind or set {setting} to a single file")
    for file in files[1:]:
        if file.partition.keys() != files[0].partition.keys():
            raise DataError(
                f"'{file.path}' is in the partition {_shown(file.partition)}, '{files[0].path}' in "
                f"{_shown(files[0].partition)}; name the same partitions for all files"
            )
    return files


def file_fingerprints(path: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a table by its name below `path`; a single file by its own."""
    files = find_files(path, any_text=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        digests = list(pool.map(fingerprint_file, (file.path for file in files)))
    names = [path.name if file.path == path else file.path.relative_to(path).as_posix() for file in files]
    return dict(zip(names, digests, strict=True))


def _below(folder: Path) -> Iterator[Path]:
    """Yield the files of tables below a folder, without files such as _SUCCESS and .part.crc."""
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if path.name.lower().endswith(SUFFIXES) and not any(part.startswith(("_", ".")) for part in inside):
            yield path


def _shown(partition: Mapping[str, str | None]) -> str:
    return "/".join(partition) or "none"
