"""Fingerprints of training tables before and after an erasure, by which a replay recognises its data."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipelines.reading.frames import frame_of
from pipelines.reading.reading import Reading
from pipelines.reading.tables import parquet_columns
from pipelines.storage.fingerprint import add_column
from pipelines.storage.workspace import Workspace

PREPARED, APPLICATIONS, MATURE = "prepared", "applications", "mature"


@dataclass(frozen=True)
class Dataset:
    """A folder of Parquet files, below the workspace, and its fingerprint as `load_applications` takes it."""

    path: str
    fingerprint: str


def datasets_of(workspace: Workspace, changed: Iterable[Path]) -> Iterator[Dataset]:
    """Yield the prepared tables that changed files are parts of: all applications, and the training table."""
    folders = {folder for path in changed for folder in path.parents if _is_prepared(folder)}
    for folder in sorted(folders):
        yield Dataset(str(folder.relative_to(workspace.root)), fingerprint_folder(folder))


def fingerprint_folder(folder: Path) -> str:
    """Return `fingerprint_table` of a folder's table, with one column at a time in memory."""
    digest = hashlib.sha256()
    for name, column in parquet_columns(folder):
        add_column(digest, name, frame_of(pa.table({name: column}), Reading(), {}).rows[name])
    return digest.hexdigest()


def _is_prepared(folder: Path) -> bool:
    parts = folder.parts
    return (parts[-1] == APPLICATIONS and parts[-3:-2] == (PREPARED,)) or (
        parts[-1] == MATURE and parts[-2:-1] == (APPLICATIONS,) and parts[-4:-3] == (PREPARED,)
    )
