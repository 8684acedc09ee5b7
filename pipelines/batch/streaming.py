"""Scores a table part by part; finished parts are skipped, logged decisions stay, and the counts reconcile."""

import json
import logging
import pickle
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.batch.digests import digests_of, numbers_of_digests, numbers_of_ids
from pipelines.batch.part import Batch, Champion, Task, check_broken, needs_room, opened
from pipelines.batch.repeats import Numbers, find_elsewhere, write_sorted
from pipelines.batch.rows import BatchRoles
from pipelines.batch.settings import BatchEngine, ScoreSettings
from pipelines.batch.tables import ScoredTable, check_unlike
from pipelines.batch.unknown_levels import check_unknown
from pipelines.batch.workers import Work, in_this_process, on_spark, pool
from pipelines.command.progress import progress
from pipelines.erasures.erased_rows import ErasedRows
from pipelines.erasures.record import read_erasures
from pipelines.errors import DataError, RequestError, ThinfileError
from pipelines.score_log.columns import SHADOW
from pipelines.score_log.key import LogKey
from pipelines.score_log.receipts import Receipt, added
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.atomic_files import scratch_folder, whole_file
from pipelines.storage.parquet_parts import ParquetInput, Part, tasks
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """The settings of a batch, for every engine."""

    parts: ParquetInput
    workspace: Workspace
    key: LogKey
    table: ScoredTable
    roles: BatchRoles
    champion: Champion
    policy_hash: str
    with_reasons: bool
    with_notices: bool
    features_kept: int
    max_quarantined: float
    max_unknown: float | None


@dataclass(frozen=True)
class Done:
    """What became of an input: the receipts of its parts, and which of them were made now.

    `versions` are the other versions that have decisions of the period.
    """

    parts: ParquetInput
    receipts: Sequence[Receipt]
    fresh: frozenset[str]
    versions: tuple[int, ...]

    def now(self) -> list[Receipt]:
        """Return the receipts of the parts that were scored now."""
        return [one for one in self.receipts if one.partition in self.fresh]


def score_input(request: Request, work: Work, processes: int = 1) -> Done:
    """Score the parts of an input that are not scored yet, and close the batch with its manifest.

    Raises:
        DataError: a file lacks a column or holds another type; too many rows break a rule; the input is logged under
            other ids.
        ThinfileError: the disk is full, a process was killed, or the counts do not reconcile.
    """
    roles, table, parts = request.roles, request.table, request.parts
    for file, schema in parts.schemas:
        roles.check(str(table.path) if table.is_converted else file, schema)
    log_of = ScoreLog(request.workspace)
    with (
        needs_room(request.workspace),
        log_of.locked(request.key),
        scratch_folder(request.workspace.score_log) as scratch,
    ):
        batch = _open(request, parts)
        done = {Path(name).stem for name in log_of.partitions(request.key)}
        missing = [part for part in parts.parts if part.name not in done]
        try:
            if missing or any(batch.numbers.glob("*.npy")):
                batch = _with_decided(batch, log_of, scratch)
            if missing:
                _check_ids(batch, missing, table)
                check_unlike(table, roles, log_of, request.key)
                _run(batch, work, [(some, None) for some in tasks(missing, processes)], parts, request.max_unknown)
            _settle(batch, work, parts, log_of)
            receipts = [batch.receipts.of(part.name) for part in parts.parts]
            _check_months(receipts, request.key.period)
            if missing:
                learnt = opened(batch.champion).scorer.predictor.known_levels
                check_unknown(receipts, sum(one.scored for one in receipts), learnt, request.max_unknown)
        except RequestError:
            _withdraw(batch, log_of, parts, missing)
            raise
        _close(batch, parts, receipts)
    others = [] if request.key.role == SHADOW else log_of.other_versions(request.key)
    versions = tuple(other.version for other in others)
    return Done(parts, receipts, frozenset(part.name for part in missing), versions)


@contextmanager
def workers(settings: ScoreSettings, request: Request, threads: int) -> Iterator[Work]:
    """Yield what scores parts: this process alone, a pool of so many processes, or Spark."""
    with ExitStack() as stack:
        if settings.engine is BatchEngine.spark:
            scratch = stack.enter_context(scratch_folder(request.workspace.score_log))
            yield stack.enter_context(on_spark(threads, settings.memory, scratch, settings.spark))
        elif threads == 1:
            yield in_this_process
        else:
            yield stack.enter_context(pool(threads, pickle.dumps(request.champion)))


def manifest_file(batch: Batch, parts: ParquetInput) -> Path:
    """Return the place of the manifest of an input."""
    return batch.key.folder(batch.workspace.score_log / "manifests") / f"{parts.fingerprint[:16]}.json"


def _open(request: Request, parts: ParquetInput) -> Batch:
    """Return the batch of an input. It decides at the time at which it was first opened, however often resumed."""
    batch = Batch(
        champion=pickle.dumps(request.champion),
        workspace=request.workspace,
        key=request.key,
        roles=request.roles,
        policy_hash=request.policy_hash,
        decided_at=datetime.now(UTC),
        with_reasons=request.with_reasons,
        with_notices=request.with_notices,
        sampled=min(request.features_kept / parts.rows, 1.0),
        rows=parts.rows,
        max_quarantined=request.max_quarantined,
        returning=ErasedRows(read_erasures(request.workspace)),
    )
    path = manifest_file(batch, parts)
    if path.exists():
        return replace(batch, decided_at=datetime.fromisoformat(json.loads(path.read_text())["opened"]))
    _write(path, {"opened": batch.decided_at.isoformat(), "input": parts.fingerprint, "closed": False})
    return batch


def _with_decided(batch: Batch, log_of: ScoreLog, scratch: Path) -> Batch:
    """Return the batch with files of what was decided before it: under its key, and by other versions."""
    others = [] if batch.key.role == SHADOW else log_of.other_versions(batch.key)
    return replace(
        batch,
        logged=write_sorted(_logged_numbers(batch, log_of), scratch / "logged"),
        other_versions=write_sorted(_numbers_of_others(batch, log_of, others), scratch / "other_versions"),
    )


def _logged_numbers(batch: Batch, log_of: ScoreLog) -> Iterator[Numbers]:
    open_parts = {path.stem for path in batch.numbers.glob("*.npy")}
    for file, rows in log_of.decided(batch.key, ["decision_id"]):
        if file.stem not in open_parts:
            yield from (numbers_of_ids(ids) for ids in rows["decision_id"].chunks)


def _numbers_of_others(batch: Batch, log_of: ScoreLog, others: Sequence[LogKey]) -> Iterator[Numbers]:
    """Yield the numbers that decisions of other versions would have under the key of the batch."""
    model_hash = opened(batch.champion).scorer.hash
    for other in others:
        for _, rows in log_of.decided(other, ["application_id"]):
            for ids in rows["application_id"].chunks:
                yield numbers_of_digests(digests_of(batch.key, model_hash, ids))


def _check_ids(batch: Batch, missing: Sequence[Part], table: ScoredTable) -> None:
    """Raise DataError for rows that are logged already, named by another column."""
    if batch.logged is None:
        return
    named = batch.receipts.fingerprints()
    for part in missing:
        other = named.get(part.fingerprint, batch.roles.id)
        if other != batch.roles.id:
            file = table.path if table.is_converted else part.file
            raise DataError(
                f"rows of '{file}' are logged for the period under the ids of '{other}', not of "
                f"'{batch.roles.id}'; use data.id={other}"
            )


def _run(batch: Batch, work: Work, some: Sequence[Task], parts: ParquetInput, max_unknown: float | None) -> None:
    """Score tasks; stop when too many rows break a rule or have unknown values for the input as a whole."""
    done, broken = len(parts.parts) - sum(len(several) for several, _ in some), Counter[str]()
    learnt, so_far = opened(batch.champion).scorer.predictor.known_levels, list[Receipt]()
    with progress("parts", len(parts.parts), log) as advance, closing(work(batch, some)) as scored:
        for receipts in scored:
            done += len(receipts)
            broken.update(added([one.quarantined for one in receipts]))
            check_broken(batch, broken)
            so_far += receipts
            check_unknown(so_far, parts.rows, learnt, max_unknown)
            advance(done, f"{sum(one.scored for one in receipts):,} scored")


def _withdraw(batch: Batch, log_of: ScoreLog, parts: ParquetInput, missing: Sequence[Part]) -> None:
    """Remove what a refused input has written: its parts of this command and of earlier ones that were killed."""
    for part in parts.parts:
        numbers = batch.numbers / f"{part.name}.npy"
        if part in missing or numbers.exists():
            log_of.withdraw(batch.key, part.name)
            batch.receipts.drop(part.name)
            numbers.unlink(missing_ok=True)
    manifest = manifest_file(batch, parts)
    if not json.loads(manifest.read_text())["closed"]:
        manifest.unlink()


def _settle(batch: Batch, work: Work, parts: ParquetInput, log_of: ScoreLog) -> None:
    """Score parts again without the rows that also occur in another part."""
    places = {part.name: batch.numbers / f"{part.name}.npy" for part in parts.parts}
    ours = [path for path in places.values() if path.exists()]
    open_parts = sorted({*batch.numbers.glob("*.npy")} - {*ours})
    others = [path for path in open_parts if log_of.file(batch.key, f"{path.stem}.parquet").exists()]
    elsewhere = find_elsewhere(ours, others)
    repeating = [part for part in parts.parts if places[part.name] in elsewhere]
    again: list[Task] = [((part,), elsewhere[places[part.name]]) for part in repeating]
    for _ in work(batch, again) if again else ():
        pass


def _check_months(receipts: Sequence[Receipt], period: str) -> None:
    """Raise DataError where the applications have times and none is of the period."""
    counts = totals(receipts)
    firsts = [one.first_month for one in receipts if one.first_month]
    if counts["other_periods"] and not counts["scored"] + counts["already_logged"] + counts["other_versions"]:
        lasts = [one.last_month for one in receipts if one.last_month]
        raise DataError(
            f"no application was made in {period} ({min(firsts)} to {max(lasts)}); correct period or data.time"
        )


def _close(batch: Batch, parts: ParquetInput, receipts: Sequence[Receipt]) -> None:
    """Write the manifest, once the counts reconcile."""
    wrong = [one.partition for one in receipts if not one.reconciles]
    if wrong or sum(one.rows for one in receipts) != parts.rows:
        raise ThinfileError(
            f"the counts of {', '.join(wrong) or 'all'} do not add up to the "
            f"{parts.rows:,} rows of the input; remove '{batch.receipts.folder}' and its decisions and score again"
        )
    _write(
        manifest_file(batch, parts),
        {
            "opened": batch.decided_at.isoformat(),
            "input": parts.fingerprint,
            "closed": True,
            "id": batch.roles.id,
            "features_kept": batch.sampled,
            **totals(receipts),
            "parts": [asdict(one) for one in receipts],
        },
    )
    for numbers in batch.numbers.glob("*.npy"):
        numbers.unlink()


def totals(receipts: Sequence[Receipt]) -> dict[str, Any]:
    """Return the counts of receipts, added up."""
    counted = ("rows", "scored", "already_logged", "other_versions", "other_periods", "erased")
    counts: dict[str, Any] = {name: sum(getattr(one, name) for one in receipts) for name in counted}
    for name in ("quarantined", "decisions", "reasons", "unknown"):
        counts[name] = added([getattr(one, name) for one in receipts])
    return counts


def _write(path: Path, record: Mapping[str, Any]) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1))
