"""The score log: every decision, final once written, with its features and protected attributes in files beside it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.errors import ThinfileError
from pipelines.profiles.column_names import feature_named
from pipelines.profiles.window_profile import WindowProfile
from pipelines.score_log.columns import DECISION, SHADOW, row_schema, with_later_columns
from pipelines.score_log.files import (
    SAMPLED,
    read_decisions,
    read_row,
    read_rows,
    readable,
    sampled_share,
    write_beside,
    write_decisions,
)
from pipelines.score_log.key import LogKey, is_sampled
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.lock import file_lock
from pipelines.storage.workspace import Workspace

ROWS_AT_ONCE = 1_000_000
"""Rows of a file that are read at a time where files may be large."""

NO_IDS = pa.table({"decision_id": pa.array([], pa.string())})


@dataclass(frozen=True)
class Logged:
    """One decision: its row of the log, the features it was made on (one row), and its file."""

    key: LogKey
    row: Mapping[str, Any]
    features: pd.DataFrame
    file: Path


@dataclass(frozen=True)
class PartitionFiles:
    """What is kept beside the decisions of a partition: features and protected attributes by row, and counts.

    `features` may be a sample of the rows, then with their own decision_id; `sampled` is the share of decisions whose
    features are kept (see `is_sampled`). `notices` are the texts for the declined, with their decision_id; None without
    any.
    """

    features: pd.DataFrame | pa.Table
    protected: pd.DataFrame | pa.Table
    profile: WindowProfile | None = None
    sampled: float = 1.0
    notices: pa.Table | None = None


class ScoreLog:
    """The log of one workspace. A partition is one input table, or a part of one: written whole, once."""

    def __init__(self, workspace: Workspace) -> None:
        self._decisions = workspace.score_log / "decisions"
        self._features = workspace.score_log / "features"
        self._protected = workspace.score_log / "protected"
        self._profiles = workspace.score_log / "profiles"
        self._notices = workspace.score_log / "notices"
        self._locks = workspace.score_log / "locks"
        self._manifests = workspace.score_log / "manifests"

    def locked(self, key: LogKey) -> AbstractContextManager[None]:
        """Lock a period of a model while one command reads what is logged and appends the rest.

        All versions share the lock, because an application has one decision in a period, whatever the version.
        """
        return file_lock(self._locks / f"{key.model}.{key.population.value}.{key.period}")

    def logged_keys(self) -> list[LogKey]:
        """Return every key with decisions; those of shadow scores are left out."""
        return [key for key in self.all_keys() if key.role == DECISION]

    def all_keys(self) -> list[LogKey]:
        """Return every key with decisions or shadow scores."""
        folders = {file.parent for file in self._decisions.rglob("*.parquet")}
        return [LogKey.of_folder(folder, self._decisions) for folder in sorted(folders)]

    def decisions(self, key: LogKey) -> pd.DataFrame:
        """Return the decisions of a key, all partitions, ordered by decision_id; empty without any."""
        files = [self.file(key, name) for name in self.partitions(key)]
        table = read_decisions(files) if files else row_schema().empty_table()
        rows: pd.DataFrame = table.to_pandas()
        return rows.sort_values("decision_id", ignore_index=True)

    def features(self, key: LogKey) -> pd.DataFrame:
        """Return the features that the decisions of a key were made on, with their decision_id, as far as kept."""
        return read_rows([key.folder(self._features) / name for name in self.partitions(key)], NO_IDS)

    def protected(self, key: LogKey) -> pd.DataFrame:
        """Return the protected attributes of the applicants, with the decision_id, where there are any."""
        files = [key.folder(self._protected) / name for name in self.partitions(key)]
        return read_rows([file for file in files if file.exists()], NO_IDS)

    def part(self, key: LogKey, partition: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the decisions of one partition, and the features that they were made on, with their decision_id."""
        decisions: pd.DataFrame = read_decisions([self.file(key, partition)]).to_pandas()
        features = read_rows([key.folder(self._features) / partition], NO_IDS)
        return decisions.sort_values("decision_id", ignore_index=True), features

    def profile(self, key: LogKey, partition: str) -> WindowProfile | None:
        """Return the counts of one partition, None where none were written beside it.

        Raises:
            ThinfileError: they cannot be read.
        """
        path = (key.folder(self._profiles) / partition).with_suffix(".json")
        with readable(path):
            return WindowProfile.from_json(path.read_text()) if path.exists() else None

    def file(self, key: LogKey, partition: str) -> Path:
        """Return the file of a partition's decisions."""
        return key.folder(self._decisions) / partition

    def find(self, decision_id: str) -> Logged | None:
        """Return the decision of an id, of any model and period; of other rows only the ids are read.

        Raises:
            ThinfileError: the decision's features are missing, or it is not found and some file cannot be read.
        """
        unreadable: list[ThinfileError] = []
        for file in sorted(self._decisions.rglob("*.parquet")):
            try:
                row = read_row(file, decision_id, with_later_columns)
            except ThinfileError as error:
                unreadable.append(error)  # the decision may be in another file
                continue
            if row is not None:
                key = LogKey.of_folder(file.parent, self._decisions)
                return Logged(key, row.to_pylist()[0], self._features_of(file, decision_id), file)
        if unreadable:
            raise unreadable[0]
        return None

    def ids_of(self, key: LogKey, decision: str) -> list[str]:
        """Return the ids of the decisions of a key with an outcome (approved, declined, referred), in order."""
        outcome = [("decision", "=", decision)]
        files = [self.file(key, name) for name in self.partitions(key)]
        tables = [pq.read_table(one, columns=["decision_id"], filters=outcome, partitioning=None) for one in files]
        return sorted(identity for table in tables for identity in table["decision_id"].to_pylist())

    def decisions_of(self, decision_ids: Sequence[str]) -> dict[str, str]:
        """Return the outcome by decision_id, of those that are logged; one pass over two columns."""
        ids, outcomes = pa.array(decision_ids, pa.string()), dict[str, str]()
        for file in sorted(self._decisions.rglob("*.parquet")) if len(decision_ids) else ():
            rows = pq.read_table(file, columns=["decision_id", "decision"], partitioning=None)
            rows = rows.filter(pc.is_in(rows["decision_id"], value_set=ids))
            outcomes |= dict(zip(rows["decision_id"].to_pylist(), rows["decision"].to_pylist(), strict=True))
        return outcomes

    def _features_of(self, file: Path, decision_id: str) -> pd.DataFrame:
        path = self._features / file.relative_to(self._decisions)
        row = read_row(path, decision_id, _with_decision_id)
        sampled = 1.0 if row is not None else sampled_share(path)
        if not is_sampled(decision_id, sampled):
            raise ThinfileError(
                f"the features of decision '{decision_id}' were not kept: of a large table only a sample is "
                f"({sampled:.2%}); replay a decision of '{path}', or score with a larger features_kept"
            )
        if row is None:
            raise ThinfileError(
                f"the features of decision '{decision_id}' are not in '{path}'; restore the file from a copy"
            )
        features: pd.DataFrame = row.drop_columns("decision_id").to_pandas().rename(columns=feature_named)
        return features

    def partitions(self, key: LogKey) -> list[str]:
        """Return the names of the files of decisions; a crash may leave features without decisions."""
        return sorted(path.name for path in key.folder(self._decisions).glob("*.parquet"))

    def is_whole(self, key: LogKey) -> bool:
        """Return whether every input that was begun under a key is done: a batch that was killed leaves one open."""
        manifests = key.folder(self._manifests).glob("*.json")
        return all(json.loads(path.read_text())["closed"] for path in manifests)

    def other_versions(self, key: LogKey) -> list[LogKey]:
        """Return the keys of the other versions of the model that were logged for the same population and period."""
        folder = key.folder(self._decisions)
        folders = folder.parents[2].glob(f"version=*/{folder.parent.name}/{folder.name}")
        keys = [LogKey.of_folder(one, self._decisions) for one in folders if one != folder]
        same_role = (one for one in keys if one.role == key.role and self.partitions(one))
        return sorted(same_role, key=lambda one: one.version)

    def decided(self, key: LogKey, columns: Sequence[str]) -> Iterator[tuple[Path, pa.Table]]:
        """Yield some columns of the decisions of a key by file, in tables of bounded size.

        Shadow scores, which earlier versions wrote beside decisions, are left out under the key of decisions.

        Raises:
            ThinfileError: a file cannot be read.
        """
        for name in self.partitions(key):
            path = self.file(key, name)
            with readable(path), pq.ParquetFile(path) as file:
                names = [*columns, *(["role"] if "role" in file.schema_arrow.names else [])]
                for batch in file.iter_batches(ROWS_AT_ONCE, columns=names):
                    rows = pa.Table.from_batches([batch])
                    if "role" in names and key.role == DECISION:
                        rows = rows.filter(pc.not_equal(rows["role"], SHADOW))
                    yield path, rows.select(list(columns))

    def count(self, key: LogKey) -> int:
        """Return the number of decisions of a key, without shadow scores."""
        return sum(len(rows) for _, rows in self.decided(key, ["model_version"]))

    def periods(self, key: LogKey) -> list[str]:
        """Return the periods that the version of a key has scored in its role."""
        return sorted(path.name.partition("=")[2] for path in key.folder(self._decisions).parent.glob("period=*"))

    def write(self, key: LogKey, partition: str, decisions: pa.Table, files: PartitionFiles) -> None:
        """Write a partition. The decisions come last: where they are, the files beside them are too.

        Raises:
            ThinfileError: the partition exists; decisions are never replaced.
        """
        if self.file(key, f"{partition}.parquet").exists():
            raise ThinfileError(f"partition {partition} of {key.period} is logged already; choose another name")
        self.write_again(key, partition, decisions, files)

    def withdraw(self, key: LogKey, partition: str) -> None:
        """Remove a partition of a batch that was refused before it was done; decisions go first, as they come last."""
        for folder in (self._decisions, self._features, self._protected, self._notices):
            (key.folder(folder) / f"{partition}.parquet").unlink(missing_ok=True)
        (key.folder(self._profiles) / f"{partition}.json").unlink(missing_ok=True)

    def write_again(self, key: LogKey, partition: str, decisions: pa.Table, files: PartitionFiles) -> None:
        """Write a partition in place of itself: for a batch that is not done yet."""
        name = f"{partition}.parquet"
        features = _with_ids(files.features, decisions)
        write_beside(key.folder(self._features) / name, features, {SAMPLED: repr(files.sampled)})
        protected = _with_ids(files.protected, decisions)
        if protected.num_columns > 1:
            write_beside(key.folder(self._protected) / name, protected, {})
        if files.notices is not None:
            write_beside(key.folder(self._notices) / name, files.notices, {})
        else:
            (key.folder(self._notices) / name).unlink(missing_ok=True)
        if files.profile is not None:
            with whole_file(key.folder(self._profiles) / f"{partition}.json") as temporary:
                temporary.write_text(files.profile.to_json())
        write_decisions(self.file(key, name), decisions)


def _with_decision_id(table: pa.Table) -> pa.Table:
    if "decision_id" not in table.column_names:
        raise ValueError("it has no column decision_id")
    return table


def _with_ids(rows: pd.DataFrame | pa.Table, decisions: pa.Table) -> pa.Table:
    table = pa.Table.from_pandas(rows, preserve_index=False) if isinstance(rows, pd.DataFrame) else rows
    if "decision_id" in table.column_names:
        return table
    return pa.table([*table.columns, decisions["decision_id"]], names=[*table.column_names, "decision_id"])
