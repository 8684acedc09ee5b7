"""The score log: every decision, final once written, with its features and protected attributes in files beside it."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.credit.population import Population
from pipelines.errors import RequestError, ThinfileError
from pipelines.profiles.window_profile import WindowProfile
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.lock import exclusive
from pipelines.storage.workspace import Workspace

ROW = pa.schema(
    [
        ("decision_id", pa.string()),
        ("application_id", pa.string()),
        ("customer_id", pa.string()),
        ("population", pa.string()),
        ("period", pa.string()),
        ("decided_at", pa.timestamp("us", tz="UTC")),
        ("model", pa.string()),
        ("model_version", pa.int64()),
        ("model_hash", pa.string()),
        ("policy_hash", pa.string()),
        ("raw_score", pa.float64()),
        ("pd", pa.float64()),
        ("points", pa.int64()),
        ("band", pa.string()),
        ("decision", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("segment", pa.string()),
        ("input_fingerprint", pa.string()),
    ]
)
"""The row of the score log. Columns may be added; none changes its meaning."""


@dataclass(frozen=True)
class LogKey:
    """What a part of the log is about: one model version, one population, one period (YYYY-MM)."""

    model: str
    version: int
    population: Population
    period: str

    def folder(self, kind: Path) -> Path:
        """Return the folder of this key among the decisions, features or protected attributes."""
        parts = {
            "model": self.model,
            "version": self.version,
            "population": self.population.value,
            "period": self.period,
        }
        return kind.joinpath(*(f"{name}={value}" for name, value in parts.items()))


@dataclass(frozen=True)
class Logged:
    """One decision: its row of the log, the features it was made on (one row), and where it lies."""

    key: LogKey
    row: Mapping[str, Any]
    features: pd.DataFrame
    file: Path


@dataclass(frozen=True)
class Beside:
    """What lies beside the decisions of a partition, row by row: features, protected attributes, and their profile.

    `features` may be a sample of the rows, then with their own decision_id; `sampled` is the share of decisions that
    are kept, those whose ids come first in the order of their hash (see `is_sampled`). `notices`
    are what the declined are told, with their decision_id.
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
        """Hold the key from reading what is logged to appending the rest: two commands would log a row twice."""
        return exclusive(self._locks / f"{key.model}.{key.version}.{key.population.value}.{key.period}")

    def logged_keys(self) -> list[LogKey]:
        """Return every key that was ever decided on."""
        folders = {file.parent for file in self._decisions.rglob("*.parquet")}
        return [_key_of(folder / "any", self._decisions) for folder in sorted(folders)]

    def decisions(self, key: LogKey) -> pd.DataFrame:
        """Return the decisions of a key, all partitions, ordered by decision_id; empty when there are none."""
        return _read(self.partitions(key), key.folder(self._decisions), ROW.empty_table().to_pandas())

    def features(self, key: LogKey) -> pd.DataFrame:
        """Return the features that the decisions of a key were made on, with their decision_id, as far as kept."""
        return _read(self.partitions(key), key.folder(self._features), pd.DataFrame({"decision_id": []}))

    def protected(self, key: LogKey) -> pd.DataFrame:
        """Return the protected attributes of those who were decided on, with the decision_id, as far as there are."""
        folder = key.folder(self._protected)
        there = [name for name in self.partitions(key) if (folder / name).exists()]
        return _read(there, folder, pd.DataFrame({"decision_id": []}))

    def part(self, key: LogKey, partition: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the decisions of one partition, and the features that they were made on, with their decision_id."""
        nothing = pd.DataFrame({"decision_id": []})
        decisions, features = (key.folder(kind) for kind in (self._decisions, self._features))
        return _read([partition], decisions, nothing), _read([partition], features, nothing)

    def profile(self, key: LogKey, partition: str) -> WindowProfile | None:
        """Return the counts of one partition, None where none were written beside it.

        Raises:
            ThinfileError: they cannot be read.
        """
        path = (key.folder(self._profiles) / partition).with_suffix(".json")
        try:
            return WindowProfile.from_json(path.read_text()) if path.exists() else None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ThinfileError(
                f"the score log must be as it was written, '{path}' cannot be read ({error}); restore it from a copy"
            ) from error

    def file(self, key: LogKey, partition: str) -> Path:
        """Return the file of a partition's decisions."""
        return key.folder(self._decisions) / partition

    def find(self, decision_id: str) -> Logged | None:
        """Return the decision of an id, of whatever model and period; of other rows nothing but the ids are read.

        Raises:
            ThinfileError: the decision's features are not there, or it is not found and some file cannot be read.
        """
        unreadable: list[ThinfileError] = []
        for file in sorted(self._decisions.rglob("*.parquet")):
            try:
                row = _row_of(file, decision_id, ROW.names)
            except ThinfileError as error:
                unreadable.append(error)  # the decision may lie in another one
                continue
            if row is not None:
                return Logged(_key_of(file, self._decisions), row.to_pylist()[0], self._beside(file, decision_id), file)
        if unreadable:
            raise unreadable[0]
        return None

    def ids_of(self, key: LogKey, decision: str) -> list[str]:
        """Return the ids of the decisions of a key that say so (approved, declined, referred), in order."""
        files = sorted(key.folder(self._decisions).glob("*.parquet"))
        said = [("decision", "=", decision)]
        found = [pq.read_table(one, columns=["decision_id"], filters=said, partitioning=None) for one in files]
        return sorted(identity for table in found for identity in table["decision_id"].to_pylist())

    def decisions_of(self, decision_ids: Sequence[str]) -> dict[str, str]:
        """Return what was decided by decision_id, of those that the log holds; one pass over two columns."""
        wanted, found = pa.array(decision_ids, pa.string()), dict[str, str]()
        for file in sorted(self._decisions.rglob("*.parquet")) if len(decision_ids) else ():
            told = pq.read_table(file, columns=["decision_id", "decision"], partitioning=None)
            theirs = told.filter(pc.is_in(told["decision_id"], value_set=wanted))
            found |= dict(zip(theirs["decision_id"].to_pylist(), theirs["decision"].to_pylist(), strict=True))
        return found

    def _beside(self, file: Path, decision_id: str) -> pd.DataFrame:
        """Return the features that a decision of a file was made on, one row."""
        beside = self._features / file.relative_to(self._decisions)
        features = _row_of(beside, decision_id, ["decision_id"])
        sampled = 1.0 if features is not None else _sampled(beside)
        if not is_sampled(decision_id, sampled):
            raise ThinfileError(
                f"of a large table the features of a sample of its decisions are kept ({sampled:.2%}), those of "
                f"'{decision_id}' were not; replay one of the sample ('{beside}'), or score with a larger features_kept"
            )
        if features is None:
            raise ThinfileError(
                f"a decision's features lie beside it, those of '{decision_id}' are not in '{beside}'; restore the "
                "file from a copy"
            )
        found: pd.DataFrame = features.to_pandas()
        return found

    def partitions(self, key: LogKey) -> list[str]:
        """Return the files that are decided; a crash may leave features whose decisions were never written."""
        return sorted(path.name for path in key.folder(self._decisions).glob("*.parquet"))

    def is_whole(self, key: LogKey) -> bool:
        """Return whether every input that was begun under a key is done: a batch that was killed leaves one open."""
        manifests = key.folder(self._manifests).glob("*.json")
        return all(json.loads(path.read_text())["closed"] for path in manifests)

    def periods(self, model: str, version: int, population: Population) -> list[str]:
        """Return the periods that a model version has scored."""
        folder = LogKey(model, version, population, "").folder(self._decisions).parent
        return sorted(found.name.partition("=")[2] for found in folder.glob("period=*"))

    def append(
        self, key: LogKey, partition: str, decisions: pa.Table, features: pd.DataFrame, protected: pd.DataFrame
    ) -> None:
        """Write a partition that holds every row of `decisions`; see `write`."""
        self.write(key, partition, decisions, Beside(features, protected))

    def write(self, key: LogKey, partition: str, decisions: pa.Table, beside: Beside) -> None:
        """Write a partition. The decisions come last: where they are, the files beside them are too.

        Raises:
            ThinfileError: the partition is there already; what is decided stays.
        """
        if (key.folder(self._decisions) / f"{partition}.parquet").exists():
            raise ThinfileError(
                f"what is logged stays, partition {partition} of {key.period} is there already; name another"
            )
        self.write_again(key, partition, decisions, beside)

    def write_again(self, key: LogKey, partition: str, decisions: pa.Table, beside: Beside) -> None:
        """Write a partition in place of itself: for a batch that is not done yet."""
        features = _with_ids(beside.features, decisions)
        _write(key.folder(self._features) / f"{partition}.parquet", features, {SAMPLED: repr(beside.sampled)})
        protected = _with_ids(beside.protected, decisions)
        if protected.num_columns > 1:
            _write(key.folder(self._protected) / f"{partition}.parquet", protected, {})
        if beside.notices is not None:
            _write(key.folder(self._notices) / f"{partition}.parquet", beside.notices, {})
        if beside.profile is not None:
            with whole_file(key.folder(self._profiles) / f"{partition}.json") as temporary:
                temporary.write_text(beside.profile.to_json())
        with whole_file(key.folder(self._decisions) / f"{partition}.parquet") as temporary:
            pq.write_table(
                decisions,
                temporary,
                compression="none",  # ids do not shrink, and the rest is told in a few bytes
                use_dictionary=REPEATED,
                write_statistics=["points"],
                write_page_checksum=True,
                write_batch_size=len(decisions) or 1,
                store_schema=False,  # read as text what was written as codes and names
            )


SAMPLED = "thinfile.sampled"
"""Where a file of features says which share of the decisions it keeps."""

REPEATED = [
    name for name in ROW.names if name not in ("decision_id", "application_id", "customer_id", "raw_score", "pd")
]
"""Columns of the log that hold few values, written as codes."""


def is_sampled(decision_id: str, share: float) -> bool:
    """Return whether the features of a decision belong to a sample of that share: its id, a hash, comes early enough.

    >>> is_sampled("0fffffffffffffff0000000000000000", 0.1), is_sampled("ff00000000000000a000000000000000", 0.1)
    (True, False)
    """
    return share >= 1 or int(decision_id[:16], 16) < int(share * 2**64)


def decision_ids(key: LogKey, model_hash: str, application_ids: NDArray[np.str_]) -> list[str]:
    """Return an id per decision that depends on what was decided and by which model alone."""
    about = id_prefix(key, model_hash)
    return [hashlib.sha256(f"{about}{one}".encode()).hexdigest()[:32] for one in application_ids]


def id_prefix(key: LogKey, model_hash: str) -> str:
    """Return what is hashed before the application's id: by which model, and of which population and period."""
    return f"{model_hash}/{key.population.value}/{key.period}/"


def decision_table(
    key: LogKey, model_hash: str, policy_hash: str, fingerprint: str, columns: Mapping[str, object]
) -> pa.Table:
    """Return rows of the log from the columns that differ by row: application_id, scores, band and decision."""
    ids = np.asarray(columns["application_id"])
    constant = {
        "population": key.population.value,
        "period": key.period,
        "decided_at": datetime.now(UTC),
        "model": key.model,
        "model_version": key.version,
        "model_hash": model_hash,
        "policy_hash": policy_hash,
        "input_fingerprint": fingerprint,
    }
    arrays = dict(columns) | {"decision_id": decision_ids(key, model_hash, ids)}
    arrays |= {name: [value] * len(ids) for name, value in constant.items()}
    return pa.table([pa.array(arrays.get(f.name, [None] * len(ids)), f.type) for f in ROW], schema=ROW)


def check_period(period: str) -> None:
    """Raise RequestError unless a period is a month."""
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", period):
        raise RequestError(
            f"period must be a month such as 2026-10, received '{period}'; write the month in two digits"
        )


def _key_of(file: Path, decisions: Path) -> LogKey:
    """Return the key that a file's folders spell."""
    told = dict(part.split("=", 1) for part in file.relative_to(decisions).parent.parts)
    return LogKey(told["model"], int(told["version"]), Population(told["population"]), told["period"])


def _row_of(file: Path, decision_id: str, needed: Sequence[str]) -> pa.Table | None:
    """Return the row of a decision as a table, None when the file does not hold it; row groups without it stay shut."""
    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as opened:
            lacking = set(needed) - set(opened.schema_arrow.names)
            if lacking:
                raise ValueError(f"it has no column {', '.join(sorted(lacking))}")
            for group in range(opened.num_row_groups):
                ids = opened.read_row_group(group, ["decision_id"])["decision_id"]
                place = pc.index(ids, decision_id).as_py()
                if place >= 0:
                    return opened.read_row_group(group).slice(place, 1).replace_schema_metadata()
    except (OSError, ValueError, pa.ArrowException) as error:  # what is not there, cut off or garbled
        raise ThinfileError(
            f"the score log must be as it was written, '{file}' cannot be read ({error}); restore it from a copy"
        ) from error
    return None


def _sampled(features: Path) -> float:
    """Return the share of the decisions whose features a file keeps."""
    told = (pq.read_metadata(features).metadata or {}).get(SAMPLED.encode())
    return float(told) if told else 1.0


def _with_ids(rows: pd.DataFrame | pa.Table, decisions: pa.Table) -> pa.Table:
    """Return rows with their decision_id."""
    table = pa.Table.from_pandas(rows, preserve_index=False) if isinstance(rows, pd.DataFrame) else rows
    if "decision_id" in table.column_names:
        return table
    return pa.table([*table.columns, decisions["decision_id"]], names=[*table.column_names, "decision_id"])


def _write(path: Path, table: pa.Table, told: Mapping[str, str]) -> None:
    levels = [field.name for field in table.schema if not pa.types.is_floating(field.type)]  # few numbers repeat
    options = {"compression": "none", "use_dictionary": levels, "write_statistics": False, "store_schema": False}
    with (
        whole_file(path) as temporary,
        pq.ParquetWriter(temporary, table.schema, write_page_checksum=True, **options) as writer,
    ):
        writer.write_table(table)
        writer.add_key_value_metadata(told)


def _read(names: Sequence[str], folder: Path, empty: pd.DataFrame) -> pd.DataFrame:
    if not names:
        return empty
    files = [folder / name for name in names]
    tables = [pq.read_table(file, partitioning=None, page_checksum_verification=True) for file in files]
    told = [table.replace_schema_metadata() for table in tables]
    rows: pd.DataFrame = pa.concat_tables(told, promote_options="permissive").to_pandas()
    return rows.sort_values("decision_id", ignore_index=True)
