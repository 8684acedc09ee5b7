"""Scores one part of an input into the log: what a process of the pool, or of Spark, does."""

import errno
import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.applications.contract import RULE
from pipelines.batch.counting import profile_of_part
from pipelines.batch.digests import spelled_ids
from pipelines.batch.rows import BatchRoles, Rows, coded_array, read_rows, segments_of
from pipelines.batch.selection import Decided, Elsewhere, Selection, select
from pipelines.batch.unknown_levels import unknown_levels
from pipelines.candidates.portable_model import Levels
from pipelines.erasures.erased_rows import ErasedRows
from pipelines.errors import DataError, ThinfileError
from pipelines.model_store.predictor import predictor_in
from pipelines.model_store.registered import RegisteredModel
from pipelines.policy.pack import PolicySettings, ReasonSettings
from pipelines.profiles.column_names import profile_column
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.reading.values import identities
from pipelines.score_log.columns import Decisions, log_rows, row_schema
from pipelines.score_log.key import LogKey
from pipelines.score_log.receipts import Receipt, Receipts
from pipelines.score_log.score_log import PartitionFiles, ScoreLog
from pipelines.score_log.segments import segment_columns
from pipelines.scoring.reasons import Reasons, notice
from pipelines.scoring.scorer import DECISIONS, DECLINED, ScoredApplications, Scorer, select_rows
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.parquet_parts import Part, read_tables
from pipelines.storage.workspace import Workspace

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers of the operating system for a full disk."""


@dataclass(frozen=True)
class Champion:
    """What a process needs to open the scorer; `profile` is the file of the reference profile where there is one."""

    folder: Path
    registered: RegisteredModel
    policy: PolicySettings
    profile: Path | None = None


@dataclass(frozen=True)
class Opened:
    """A scorer, and the model's reference profile where it has one."""

    scorer: Scorer
    reference: ReferenceProfile | None


@dataclass(frozen=True)
class Batch:
    """One run over one input: what its parts have in common.

    `champion` is a pickled `Champion`; `logged` is a file of sorted numbers of decisions that are in the log already,
    `other_versions` one of those that other versions made (see `select`); `sampled` is the share of the decisions whose
    features are kept; of the `rows` of the input a share of `max_quarantined` may break the contract; `returning` knows
    who was erased and must not come back.
    """

    champion: bytes
    workspace: Workspace
    key: LogKey
    roles: BatchRoles
    policy_hash: str
    decided_at: datetime
    with_reasons: bool
    with_notices: bool
    sampled: float
    rows: int
    max_quarantined: float
    logged: Path | None = None
    other_versions: Path | None = None
    returning: ErasedRows | None = None

    @property
    def receipts(self) -> Receipts:
        """The receipts of the key."""
        return Receipts(self.key.folder(self.workspace.score_log / "receipts"))

    @property
    def numbers(self) -> Path:
        """The folder of the numbers of the decisions of each part, until the batch is closed."""
        return self.key.folder(self.workspace.score_log / "numbers")


Task = tuple[tuple[Part, ...], Elsewhere | None]
"""Parts that follow each other in one file, and what of them was found to be elsewhere."""


@lru_cache(maxsize=1)
def opened(champion: bytes) -> Opened:
    """Return the scorer of a pickled champion; a process opens it once."""
    loaded: Champion = pickle.loads(champion)
    scorer = Scorer(predictor_in(loaded.folder, loaded.registered, loaded.policy.models, threads=1), loaded.policy)
    return Opened(scorer, ReferenceProfile.from_json(loaded.profile.read_text()) if loaded.profile else None)


def score_parts(batch: Batch, task: Task) -> list[Receipt]:
    """Score parts into the log and return what became of their rows.

    Raises:
        DataError: a column has values that do not fit its role.
        ThinfileError: the disk is full, or a file cannot be read.
    """
    parts, elsewhere = task
    roles, receipts = batch.roles, []
    with needs_room(batch.workspace):
        for part, table in zip(parts, read_tables(parts, roles.columns, roles.coded), strict=True):
            receipts.append(_score(batch, part, read_rows(table, roles), elsewhere))
    return receipts


@contextmanager
def needs_room(workspace: Workspace) -> Iterator[None]:
    """Raise ThinfileError where the block fails because the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise ThinfileError(
            f"the disk of '{workspace.score_log}' is full ({os.strerror(error.errno)}); free space and run the same "
            "command again, finished parts are kept"
        ) from error


def _score(batch: Batch, part: Part, rows: Rows, elsewhere: Elsewhere | None) -> Receipt:
    work = opened(batch.champion)
    log = ScoreLog(batch.workspace)
    if elsewhere is not None:  # until it is there again the part is not done, or a crash would leave half of a change
        log.file(batch.key, f"{part.name}.parquet").unlink(missing_ok=True)
    erased = _erased(batch, rows)
    decided = Decided(batch.logged, batch.other_versions, elsewhere)
    chosen = select(batch.key, work.scorer.hash, batch.roles.id, rows, erased, decided)
    check_broken(batch, {rule: len(some) for rule, some in chosen.broken.items()})
    is_whole = len(chosen.rows) == part.rows
    columns = rows.columns if is_whole else select_rows(rows.columns, chosen.rows)
    table = rows.table if is_whole else rows.table.take(chosen.rows)
    unknown = unknown_levels(columns, work.scorer.predictor.known_levels)
    answers = work.scorer.score(columns) if len(table) else _nothing(work.scorer)
    declined = answers.unapproved if batch.with_reasons else answers.unapproved[:0]
    reasons = work.scorer.reasons(columns, declined) if len(declined) else Reasons([], [], [])
    groups = dict(zip(declined.tolist(), reasons.groups, strict=True))
    words = dict(zip(declined.tolist(), reasons.words, strict=True))
    segments = segments_of(table, columns, batch.roles)
    profile = profile_of_part(work.reference, columns, answers, groups, segments)
    receipt = _receipt(batch, work.scorer.hash, part, rows, chosen, answers, profile.overall.reasons)
    receipt.unknown = {name: some.rows for name, some in unknown.items()}
    receipt.unknown_examples = {name: list(some.examples) for name, some in unknown.items()}
    decisions = _decisions(batch, work.scorer, part, table, rows.ids, chosen, answers, words, segments)
    kept = _sample(chosen.numbers, batch.sampled)
    features = _features(columns, batch.roles, decisions["decision_id"], kept)
    notices = _notices(decisions, work.scorer.policy.reasons) if batch.with_notices else None
    notices = notices if notices is not None and len(notices) else None
    files = PartitionFiles(features, _protected(table, batch.roles), profile, batch.sampled, notices)
    _quarantine(batch, part, rows.table, chosen.broken)
    _keep_numbers(batch, part, chosen.ordered)
    batch.receipts.keep(receipt)
    log.write_again(batch.key, part.name, decisions, files)
    return receipt


def check_broken(batch: Batch, broken: Mapping[str, int]) -> None:
    """Raise DataError where more rows broke a rule, by rule, than may."""
    total = sum(broken.values())
    if total > batch.max_quarantined * batch.rows:
        raise DataError(
            f"{total:,} of {batch.rows:,} rows break the contract so far, more than data.max_quarantined="
            f"{batch.max_quarantined:g} allows; most often: {max(broken, key=lambda rule: broken[rule])}; correct the "
            "column, change its role or raise data.max_quarantined"
        )


def _nothing(scorer: Scorer) -> ScoredApplications:
    """Return the answers for no rows: there are libraries that refuse to give them."""
    none, whole = np.empty(0), np.empty(0, dtype=np.intp)
    return ScoredApplications(none, none, whole.astype(np.int64), whole, whole, scorer.band_names)


def _erased(batch: Batch, rows: Rows) -> NDArray[np.bool_] | None:
    """Return which rows are those of erased people, None where no one was erased."""
    if not batch.returning:
        return None
    customer = batch.roles.customer
    customers = None if customer is None else identities(rows.table[customer]).to_numpy(zero_copy_only=False)
    return batch.returning.rows(customers, rows.ids.to_numpy(zero_copy_only=False))


def _receipt(
    batch: Batch,
    model_hash: str,
    part: Part,
    rows: Rows,
    chosen: Selection,
    answers: ScoredApplications,
    reasons: Mapping[str, int],
) -> Receipt:
    dated = None if rows.months is None else rows.months[~np.isnat(rows.months)]
    months = (None, None) if dated is None or not len(dated) else (str(dated.min()), str(dated.max()))
    codes = np.bincount(answers.decision_codes, minlength=len(DECISIONS)).tolist()
    return Receipt(
        partition=part.name,
        fingerprint=part.fingerprint,
        id=batch.roles.id,
        rows=part.rows,
        model_hash=model_hash,
        policy_hash=batch.policy_hash,
        scored=len(chosen.rows),
        already_logged=chosen.already_logged,
        other_versions=chosen.other_versions,
        other_periods=chosen.other_periods,
        erased=chosen.erased,
        quarantined={rule: len(some) for rule, some in chosen.broken.items()},
        decisions={name: number for name, number in zip(DECISIONS, codes, strict=True) if number},
        reasons=dict(reasons),
        sum_pd=float(answers.pd.sum()),
        first_month=months[0],
        last_month=months[1],
    )


def _decisions(
    batch: Batch,
    scorer: Scorer,
    part: Part,
    table: pa.Table,
    ids: pa.Array,
    chosen: Selection,
    answers: ScoredApplications,
    words: Mapping[int, Sequence[str]],
    segments: Mapping[str, Levels],
) -> pa.Table:
    rows, columns = len(chosen.rows), row_schema()
    by_row = {
        "decision_id": spelled_ids(chosen.digests),
        "application_id": ids if rows == len(ids) else ids.take(chosen.rows),
        "raw_score": pa.array(answers.raw_score),
        "pd": pa.array(answers.pd),
        "points": pa.array(answers.points),
        "band": coded_array(Levels(answers.band_codes, answers.band_names)),
        "decision": coded_array(Levels(answers.decision_codes, DECISIONS)),
    }
    if batch.roles.customer:
        by_row["customer_id"] = identities(table[batch.roles.customer])
    if words:
        by_row["reasons"] = pa.array([words.get(row) for row in range(rows)], columns.field("reasons").type)
    shared = batch.key.columns | {
        "decided_at": batch.decided_at,
        "model_hash": scorer.hash,
        "policy_hash": batch.policy_hash,
        "input_fingerprint": part.fingerprint,
    }
    return log_rows(Decisions(rows, shared, by_row | segment_columns(segments)))


def _notices(decisions: pa.Table, settings: ReasonSettings) -> pa.Table:
    """Return the ids of each declined decision, and the lines of the policy's notice as one text."""
    declined = decisions.filter(pc.equal(pc.cast(decisions["decision"], pa.string()), DECLINED))
    reasons = [tuple(words or ()) for words in declined["reasons"].to_pylist()]
    texts = {words: "\n".join(notice(words, settings)) for words in set(reasons)}
    notices = declined.select(["decision_id", "application_id", "customer_id"])
    return notices.append_column("notice", pa.array([texts[words] for words in reasons], pa.string()))


def _sample(numbers: NDArray[np.uint64], share: float) -> NDArray[np.intp]:
    """Return the rows whose features are kept: see `is_sampled`."""
    return np.arange(len(numbers)) if share >= 1 else np.flatnonzero(numbers < np.uint64(int(share * 2**64)))


def _features(columns: Mapping[str, Any], roles: BatchRoles, ids: pa.ChunkedArray, kept: NDArray[np.intp]) -> pa.Table:
    some = select_rows({name: columns[name] for name in (*roles.numeric, *roles.categorical)}, kept)
    arrays = {profile_column(name): pa.array(some[name], from_pandas=True) for name in roles.numeric}
    arrays |= {profile_column(name): coded_array(some[name]) for name in roles.categorical}
    return pa.table(arrays | {"decision_id": ids.take(pa.array(kept))})


def _protected(table: pa.Table, roles: BatchRoles) -> pa.Table:
    return pa.table({name: coded_array(roles.levels(table, name)) for name in roles.protected})


def _quarantine(batch: Batch, part: Part, table: pa.Table, broken: Mapping[str, NDArray[np.intp]]) -> None:
    if not broken:
        return
    rules = pa.array([rule for rule, rows in broken.items() for _ in rows], pa.string())
    rows = table.take(np.concatenate(list(broken.values()))).append_column(RULE, rules)
    with whole_file(batch.workspace.quarantine / f"{part.name}.parquet") as temporary:
        pq.write_table(rows, temporary)


def _keep_numbers(batch: Batch, part: Part, numbers: NDArray[np.uint64]) -> None:
    with whole_file(batch.numbers / f"{part.name}.npy") as temporary, temporary.open("wb") as file:
        np.save(file, numbers)
