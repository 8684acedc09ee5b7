"""The table of applications that is scored, as Parquet: a CSV file and a table without ids are converted first."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.applications.roles import check_special
from pipelines.applications.settings import DataSettings, Source
from pipelines.applications.sources import opened_source, shown_source
from pipelines.batch.rows import BatchRoles, read_rows
from pipelines.errors import DataError, RequestError
from pipelines.profiles.column_names import feature_named
from pipelines.reading.files import SUFFIXES, TableFile, find_files
from pipelines.reading.frames import frame_of
from pipelines.reading.locations import is_elsewhere
from pipelines.reading.reading import Reading
from pipelines.reading.settings import check_reading
from pipelines.reading.tables import check_columns, parquet_schema, read_table
from pipelines.reading.text_files import open_text_file, write_parquet
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.fingerprint import fingerprint_table
from pipelines.storage.workspace import Workspace

ROW_ID = "application_id"
"""The column of ids in a converted table that has none."""


@dataclass(frozen=True)
class ScoredTable:
    """A Parquet file or folder to score, and the column of its ids.

    `path` is where the user's own table is. `id_prefix` begins the ids of a table that has none: they name the rows by
    their place in this very table, so that no two tables share an id.
    """

    source: Path
    path: Path
    id: str
    id_prefix: str | None = None

    @property
    def is_converted(self) -> bool:
        """Whether the Parquet file was made from the user's table."""
        return self.source != self.path


@contextmanager
def open_table(data: DataSettings, given: str | None, usual_id: str, workspace: Workspace) -> Iterator[ScoredTable]:
    """Yield the table to score: `given` (the setting `input`), or that of `data`.

    Only a `given` Parquet input may leave out data.id where it has a column of the usual name.

    Raises:
        RequestError: `given` does not exist.
        DataError: the table cannot be read.
    """
    setting = "input" if given else "data.path"
    if given and not is_elsewhere(given) and not Path(given).exists():
        raise RequestError(f"input '{given}' does not exist; name a file ({', '.join(SUFFIXES)}) or a folder of them")
    if given:
        source = replace(data, path=given, query=None, database=None)
    else:
        source = replace(data, path=applications_path(data))
    check_reading(data)
    check_special(data)
    with (
        opened_source(source, workspace.score_log, setting=setting) as path,
        _with_ids(data, path, setting, given, usual_id, workspace) as table,
    ):
        yield table


@contextmanager
def _with_ids(
    data: DataSettings, path: Path, setting: str, given: str | None, usual_id: str, workspace: Workspace
) -> Iterator[ScoredTable]:
    """Yield the table of a path; see `open_table`."""
    files = find_files(path, setting=setting, any_text=data.delimiter is not None)
    origin = path if given or data.path or data.query else Path(data.source.value)
    has_ids = bool(given) or data.id is not None
    if has_ids and all(file.is_parquet for file in files):
        check_columns([(file.path, [*parquet_schema(file.path).names, *file.partition]) for file in files])
        yield ScoredTable(path, origin, data.id or usual_id)
        return
    with scratch_folder(workspace.score_log) as scratch:
        folder = scratch / "table"
        folder.mkdir()
        if data.id is not None:
            _parse(files, data, scratch, folder)
            yield ScoredTable(folder, origin, data.id)
        else:
            prefix = _with_row_ids(read_table(path, data, workspace.score_log, setting=setting), data, folder)
            yield ScoredTable(folder, origin, ROW_ID, prefix)


def _parse(files: Sequence[TableFile], data: DataSettings, scratch: Path, folder: Path) -> None:
    """Write text files as Parquet, one after the other."""
    texts = [open_text_file(file, data, scratch) for file in files]
    check_columns([(text.origin, text.names) for text in texts])
    for number, text in enumerate(texts):
        write_parquet(text, folder / f"part-{number:05d}.parquet")


def _with_row_ids(rows: pa.Table, data: DataSettings, folder: Path) -> str:
    """Write a table with a column of ids, which name the rows by the table's fingerprint; return their prefix."""
    if not len(rows):
        raise DataError(f"'{shown_source(data)}' has no rows; name a table of applications")
    prefix = f"{fingerprint_table(frame_of(rows, Reading.of(data), {}).rows)[:12]}-"
    ids = pa.array([f"{prefix}{row}" for row in range(len(rows))])
    place = rows.column_names.index(ROW_ID) if ROW_ID in rows.column_names else None
    rows = rows.append_column(ROW_ID, ids) if place is None else rows.set_column(place, ROW_ID, ids)
    pq.write_table(rows, folder / "part-00000.parquet")
    return prefix


def applications_path(data: DataSettings) -> str | None:
    """Return the path of all applications: a marketplace keeps them beside its training table of mature ones."""
    from pipelines.marketplace.training_table import APPLICATIONS, TRAINING

    is_training = data.source is Source.marketplace and data.path is not None and Path(data.path).name == TRAINING
    return str(Path(data.path).with_name(APPLICATIONS)) if data.path and is_training else data.path


def check_unlike(table: ScoredTable, roles: BatchRoles, log: ScoreLog, key: LogKey) -> None:
    """Raise DataError where new rows without an id look like logged rows of another table: they may be the same."""
    if table.id_prefix is None:
        return
    logged = log.decisions(key)
    rows = read_rows(pq.read_table(table.source, columns=roles.columns), roles)
    ids = rows.ids.to_pandas()
    is_new = ~ids.isin(logged["application_id"]).to_numpy()
    if rows.sound is not None:
        is_new &= rows.sound
    if rows.months is not None:
        is_new &= rows.months == np.datetime64(key.period, "M")
    others = logged.loc[~logged["application_id"].str.startswith(table.id_prefix), "decision_id"]
    features = log.features(key)
    features = features[features["decision_id"].isin(others)].drop(columns="decision_id").rename(columns=feature_named)
    if features.empty or not is_new.any():
        return
    is_alike = _row_hashes(_frame(rows.columns, roles)[is_new], roles).isin(_row_hashes(features, roles))
    if is_alike.any():
        raise DataError(
            f"{int(is_alike.sum()):,} of these rows without an id look like rows that are logged for the period; add "
            "data.id=COLUMN to identify applications"
        )


def _frame(columns: Any, roles: BatchRoles) -> pd.DataFrame:
    levels = {name: columns[name] for name in roles.categorical}
    texts = {name: np.array([*one.names, None], dtype=object)[one.codes] for name, one in levels.items()}
    return pd.DataFrame({name: columns[name] for name in roles.numeric} | texts)


def _row_hashes(features: pd.DataFrame, roles: BatchRoles) -> "pd.Series[Any]":
    texts = {name: features[name].astype(object) for name in roles.categorical}
    typed = features[list(roles.numeric)].astype("float64").assign(**texts)
    return pd.util.hash_pandas_object(typed[[*roles.numeric, *roles.categorical]], index=False)
