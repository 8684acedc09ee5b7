"""Moves decisions from the journal to the score log, each exactly once even if the process is killed."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.applications.settings import SegmentSettings
from pipelines.candidates.portable_model import Levels
from pipelines.credit.population import Population
from pipelines.errors import RequestError
from pipelines.model_store.profile import profile_path
from pipelines.model_store.store import ModelStore
from pipelines.policy.model_settings import ModelSettings
from pipelines.profiles.column_names import profile_column
from pipelines.profiles.dimensions import dimensions_of
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.reading.special import Codes, code_column, split_codes
from pipelines.score_log.columns import COLUMNS, DECISION, SHADOW, Decisions, log_rows
from pipelines.score_log.key import LogKey, decision_ids
from pipelines.score_log.rolled_decisions import Rolled, RolledDecisions
from pipelines.score_log.score_log import PartitionFiles, ScoreLog
from pipelines.score_log.segments import segment_columns
from pipelines.serving.champion import Serving, columns_of_model
from pipelines.serving.contradictions import CONTRADICTED, set_aside
from pipelines.serving.counting import Version, profile_of_records, segments_of_records
from pipelines.serving.decider import Asked, DecisionRow, Journalled
from pipelines.serving.journal import Journal, Location, Segment, force_to_disk
from pipelines.serving.metrics import Metrics
from pipelines.serving.refusal import Refusal
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.lock import file_lock
from pipelines.storage.workspace import Workspace

logger = logging.getLogger(__name__)

PARTITION = "online"
_BODY = msgspec.json.Decoder(Journalled)


class LoggedDecision(NamedTuple):
    """A decision in the score log: its file below the folder of decisions, its id and, from a batch, its raw score."""

    file: str
    decision_id: str
    raw_score: float | None


class Roller:
    """Moves decisions of a workspace to the score log; the shadow scores them then, never during a request."""

    def __init__(
        self,
        workspace: Workspace,
        version_of: Callable[[str, int], Version | None],
        metrics: Metrics,
        shadow: Serving | None,
    ) -> None:
        self._workspace, self._version_of, self._metrics, self._shadow = workspace, version_of, metrics, shadow
        self.journal = Journal(workspace.serving / "journal")
        self._rolled = RolledDecisions(workspace.serving / "decided.db")
        self._log = ScoreLog(workspace)
        self._rolled_at = -float("inf")

    def close(self) -> None:
        """Close all files."""
        self.journal.close()
        self._rolled.close()

    def tend(self, every_seconds: float, at_rows: int) -> None:
        """Force the journal to the disk, and roll it when it is time."""
        self.journal.look()
        self.journal.force_to_disk()
        if time.monotonic() - self._rolled_at >= every_seconds or self.journal.waiting() >= at_rows:
            self.roll()

    def roll(self) -> int:
        """Write all decisions of the journal to the score log and return how many there were."""
        self._rolled_at = time.monotonic()
        with file_lock(self._workspace.serving / "roll.lock"):
            self.journal.force_to_disk()
            with self.journal.locked():
                self.journal.seal()
            self.journal.force_to_disk()
            self.journal.forget_rolled()
            return sum([self._roll(segment) for segment in self.journal.sealed()])

    def _roll(self, segment: Segment) -> int:
        records = [_BODY.decode(segment.body(location)) for location in segment.locations]
        logged: dict[str, LoggedDecision] = {}
        for key, some in _by_key(records).items():
            logged |= self._append(key, some)
        self._rolled.add(
            [
                _rolled(location, logged[location.decision.hex()], record.asked)
                for location, record in zip(segment.locations, records, strict=True)
            ]
        )
        for file in {one.file for one in logged.values()}:
            self._force_to_disk(file)
        if self._shadow is not None:
            self._score_shadow(self._shadow, records)
        segment.path.unlink()
        self.journal.forget_rolled()
        self._metrics.count_event("rolled", len(records))
        return len(records)

    def _force_to_disk(self, file: str) -> None:
        """Force the files of a partition to the disk before its journal is deleted."""
        for kind, ending in (("decisions", "parquet"), ("features", "parquet"), ("profiles", "json")):
            path = (self._workspace.score_log / kind / file).with_suffix(f".{ending}")
            if path.exists():
                force_to_disk(path)
                force_to_disk(path.parent)

    def _append(self, key: LogKey, records: Sequence[Journalled]) -> dict[str, LoggedDecision]:
        """Write the decisions of applications that have none in the log yet and return the log's, by their ids here."""
        version = self._version_of(key.model, key.version)
        with self._log.locked(key):
            ids = [record.row.decision_id for record in records]
            partition = f"{PARTITION}-{fingerprint_record(sorted(ids))[:16]}"
            written = {identity: LoggedDecision(str(_file(key, partition)), identity, None) for identity in ids}
            logged = self._decided_in_batches(key, records)
            other = [one for one in records if _contradicts(one.row, logged.get(one.row.decision_id))]
            if key.role == DECISION:
                self._metrics.count_event("contradicted", set_aside(self._workspace.serving / CONTRADICTED, other))
            if not self._log.file(key, f"{partition}.parquet").exists():  # else it was written before a kill
                self._write(key, partition, [one for one in records if one.row.decision_id not in logged], version)
            return written | logged

    def _write(self, key: LogKey, partition: str, records: Sequence[Journalled], version: Version | None) -> None:
        if not records:
            return
        special = version.contract.reading.special if version else {}
        frame = _frame(records, version.features if version else None, special)
        segments = segments_of_records(records, version)
        profile = profile_of_records(records, frame, version, segments) if version else None
        protected = pd.DataFrame(index=range(len(records)))
        self._log.write(
            key,
            partition,
            _table(records, segments),
            PartitionFiles(frame.rename(columns=profile_column), protected, profile),
        )

    def _decided_in_batches(self, key: LogKey, records: Sequence[Journalled]) -> dict[str, LoggedDecision]:
        """Return the log's decisions of the same applications by any version, by the ids of the records.

        Those that the service itself has logged are left out: its journal lets an application be decided once.
        """
        applications = {one.row.application_id: one.row.decision_id for one in records}
        requested = pa.array(list(applications), pa.string())
        logged = {}
        for other in [key, *([] if key.role == SHADOW else self._log.other_versions(key))]:
            for path, rows in self._log.decided(other, ["application_id"]):
                ids = rows.filter(pc.is_in(rows["application_id"], value_set=requested))["application_id"].to_pylist()
                if not ids or path.name.startswith(f"{PARTITION}-"):
                    continue
                for row in _rows_of(path, ids):
                    decision = LoggedDecision(str(_file(other, path.stem)), row["decision_id"], row["raw_score"])
                    logged[applications[row["application_id"]]] = decision
        return logged

    def _score_shadow(self, shadow: Serving, records: Sequence[Journalled]) -> None:
        mine = [one for one in records if one.row.model == shadow.model and one.row.model_version != shadow.version]
        able = [one for one in mine if _read_by(shadow, one) is not None]
        self._metrics.count_event("shadow_lacking", len(mine) - len(able))
        try:
            for key, some in _by_key(able).items():
                shadow_key = LogKey(shadow.model, shadow.version, Population.applications, key.period, SHADOW)
                self._append(shadow_key, shadowed(shadow, shadow_key, some))
            self._metrics.count_event("shadow_scored", len(able))
        except Exception as error:  # whatever a challenger does, what was decided is rolled
            self._metrics.count_event("shadow_failed", len(able))
            logger.error("the shadow, version %d, failed: %s", shadow.version, type(error).__name__)


def shadowed(shadow: Serving, key: LogKey, records: Sequence[Journalled]) -> list[Journalled]:
    """Return what another version would have decided on the same applications."""
    scorer = shadow.scorer
    features = [_read_by(shadow, record) for record in records]
    columns = shadow.contract.columns(features)
    answers = scorer.score(columns)
    reasons = scorer.reasons(columns, answers.unapproved)
    words = dict(zip(answers.unapproved.tolist(), reasons.words, strict=True))
    groups = dict(zip(answers.unapproved.tolist(), reasons.groups, strict=True))
    ids = decision_ids(key, scorer.hash, np.array([one.row.application_id for one in records]))
    changed = {"model_version": key.version, "model_hash": scorer.hash, "policy_hash": scorer.policy_hash}
    return [
        Journalled(
            msgspec.structs.replace(
                record.row,
                **changed,
                decision_id=ids[row],
                raw_score=float(answers.raw_score[row]),
                pd=float(answers.pd[row]),
                points=int(answers.points[row]),
                band=str(answers.band[row]),
                decision=str(answers.decision[row]),
                reasons=words.get(row),
            ),
            msgspec.to_builtins(features[row]),
            record.asked,
            groups.get(row, []),
            record.columns | {"role": SHADOW},
            record.segments,
        )
        for row, record in enumerate(records)
    ]


def _read_by(version: Serving, record: Journalled) -> Any:
    """Return the features of a decision as another version reads them, None where it cannot."""
    try:
        return version.contract.features_of(record.features)
    except (Refusal, ValueError):
        return None


def versions_in(
    store: ModelStore, segments: SegmentSettings | None = None, models: ModelSettings | None = None
) -> Callable[[str, int], Version | None]:
    """Return a function that looks up a version, None when it is no longer in the registry."""
    from pipelines.model_store.predictor import load_predictor

    versions: dict[tuple[str, int], Version | None] = {}

    def version_of(model: str, version: int) -> Version | None:
        if (model, version) not in versions:
            try:
                registered = store.version(model, version)
                predictor, profile = load_predictor(store, registered, models), profile_path(store, registered)
            except (RequestError, OSError):
                versions[model, version] = None
                return None
            reference = ReferenceProfile.from_json(profile.read_text()) if profile else None
            bins = reference.bins if reference else ()
            versions[model, version] = Version(
                columns_of_model(predictor),
                reference,
                dimensions_of(segments or SegmentSettings(), bins),
                predictor.contract,
            )
        return versions[model, version]

    return version_of


def logged_row(workspace: Workspace, rolled: Rolled) -> DecisionRow | None:
    """Return the row of a rolled decision, None when it is no longer in the log."""
    path = workspace.score_log / "decisions" / rolled.file
    if not path.exists():
        return None
    of_decision = [("decision_id", "=", rolled.decision.hex())]
    rows = pq.read_table(
        path, columns=list(DecisionRow.__struct_fields__), filters=of_decision, partitioning=None
    ).to_pylist()
    return msgspec.convert(rows[0], DecisionRow) if rows else None


def _by_key(records: Sequence[Journalled]) -> dict[LogKey, list[Journalled]]:
    by_key: dict[LogKey, list[Journalled]] = {}
    for record in records:
        row = record.row
        key = LogKey(row.model, row.model_version, Population(row.population), row.period)
        by_key.setdefault(key, []).append(record)
    return by_key


def _file(key: LogKey, partition: str) -> Path:
    return key.folder(Path()) / f"{partition}.parquet"


def _rows_of(path: Path, applications: Sequence[str]) -> list[dict[str, Any]]:
    """Return ids and raw scores of the decisions of some applications in a file."""
    columns = ["application_id", "decision_id", "raw_score"]
    rows = pq.read_table(path, columns=columns, filters=[("application_id", "in", applications)], partitioning=None)
    row_list: list[dict[str, Any]] = rows.to_pylist()
    return row_list


def _contradicts(row: DecisionRow, logged: LoggedDecision | None) -> bool:
    return logged is not None and (logged.decision_id, logged.raw_score) != (row.decision_id, row.raw_score)


def _rolled(location: Location, logged: LoggedDecision, requested: Asked) -> Rolled:
    decision = bytes.fromhex(logged.decision_id)
    return Rolled(location.application, location.request, decision, logged.file, requested.amount, requested.term)


def _table(records: Sequence[Journalled], segments: Mapping[str, Levels]) -> pa.Table:
    """Return rows of the log; columns that are not fields of `DecisionRow` are those of the record."""
    names = {*DecisionRow.__struct_fields__, *(name for one in records for name in one.columns)}
    rows = [msgspec.structs.asdict(one.row) | one.columns for one in records]
    by_row = {
        column.name: pa.array([row.get(column.name, column.default) for row in rows], column.type)
        for column in COLUMNS
        if column.name in names
    }
    return log_rows(Decisions(len(rows), {}, by_row | segment_columns(segments)))


def _frame(records: Sequence[Journalled], kinds: Mapping[str, bool] | None, special: Codes) -> pd.DataFrame:
    """Return the features that a decision was made on: numbers as float64, text with None where it is missing.

    Special codes are split from their numbers, as for the decision.
    """
    are_numbers = kinds or {
        name: not any(isinstance(one.features.get(name), str) for one in records)
        for name in sorted({name for one in records for name in one.features})
    }
    columns: dict[str, Any] = {}
    for name, is_number in are_numbers.items():
        values: list[Any] = [record.features.get(name) for record in records]
        columns[name] = np.array(values, dtype=np.float64) if is_number else pd.array(values, dtype="str")
    for name, codes in special.items():
        if code_column(name) in columns:
            numbers = np.array([record.features.get(name) for record in records], dtype=np.float64)
            columns[name], levels = split_codes(numbers, codes)
            columns[code_column(name)] = pd.array(levels, dtype="str")
    return pd.DataFrame(columns, index=range(len(records)))
