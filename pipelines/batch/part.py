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
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.applications.contract import RULE
from pipelines.batch.counting import profile_of_part
from pipelines.batch.digests import digests_of, numbers_of_digests, spelled_ids
from pipelines.batch.notices import notices_of
from pipelines.batch.rows import BatchRoles, Rows, coded_array, levels_of, read_rows, texts_of
from pipelines.candidates.portable_model import Levels
from pipelines.erasures.returning import Returning
from pipelines.errors import ThinfileError
from pipelines.model_store.files import PROFILE
from pipelines.model_store.predictor import predictor_in
from pipelines.model_store.registered import RegisteredModel
from pipelines.policy.pack import PolicySettings
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.score_log.columns import Decisions, log_rows, row_schema
from pipelines.score_log.key import LogKey
from pipelines.score_log.receipts import Receipt, Receipts
from pipelines.score_log.score_log import PartitionFiles, ScoreLog
from pipelines.scoring.reasons import Reasons
from pipelines.scoring.scorer import DECISIONS, ScoredApplications, Scorer, select_rows
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.parquet_parts import Part, read_tables
from pipelines.storage.workspace import Workspace

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where nothing more can be written."""


@dataclass(frozen=True)
class Champion:
    """What a process needs to open the scorer."""

    folder: Path
    registered: RegisteredModel
    policy: PolicySettings


@dataclass(frozen=True)
class Opened:
    """A scorer, and the profile of the model's own world where it has one."""

    scorer: Scorer
    reference: ReferenceProfile | None


@dataclass(frozen=True)
class Batch:
    """One run over one input: what its parts have in common.

    `champion` is a pickled `Champion`; `known` is a file of sorted numbers of decisions that are in the log already, as
    an array of numpy; `sampled` is the share of the decisions whose features are kept; `returning`
    knows who was erased and must not come back.
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
    known: Path | None = None
    returning: Returning | None = None

    @property
    def receipts(self) -> Receipts:
        """The receipts of the key."""
        return Receipts(self.key.folder(self.workspace.score_log / "receipts"))

    @property
    def numbers(self) -> Path:
        """The folder of the numbers of the decisions of each part, until the batch is closed."""
        return self.key.folder(self.workspace.score_log / "numbers")


@dataclass(frozen=True)
class Elsewhere:
    """Numbers of decisions, sorted, that another part of the input holds, and that an earlier batch has logged."""

    repeated: NDArray[np.uint64]
    logged: NDArray[np.uint64]


Task = tuple[tuple[Part, ...], Elsewhere | None]
"""Parts that follow each other in one file, and what of them was found to be elsewhere."""


@lru_cache(maxsize=1)
def opened(champion: bytes) -> Opened:
    """Return the scorer of a pickled champion; a process opens it once."""
    told: Champion = pickle.loads(champion)
    profile = told.folder / PROFILE
    scorer = Scorer(predictor_in(told.folder, told.registered, threads=1), told.policy)
    return Opened(scorer, ReferenceProfile.from_json(profile.read_text()) if profile.exists() else None)


def score_parts(batch: Batch, task: Task) -> list[Receipt]:
    """Score parts into the log and return what became of their rows.

    Raises:
        DataError: a column holds what cannot be its role's.
        ThinfileError: there is no room to write, or a file cannot be read.
    """
    parts, elsewhere = task
    roles, found = batch.roles, []
    coded = [*roles.categorical, *roles.protected, *([roles.segment] if roles.segment else [])]
    with needs_room(batch.workspace):
        for part, table in zip(parts, read_tables(parts, roles.columns, coded), strict=True):
            found.append(_score(batch, part, read_rows(table, roles), elsewhere))
    return found


@contextmanager
def needs_room(workspace: Workspace) -> Iterator[None]:
    """Say in one message that there is no room to write, where that is what the system says."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise ThinfileError(
            f"the score log needs room, '{workspace.score_log}' has none ({os.strerror(error.errno)}); the parts that "
            "are done are whole: make room and run the same command, it goes on where it stopped"
        ) from error


@dataclass(frozen=True)
class _Chosen:
    """The rows of a part that are to be scored, and what became of the others."""

    rows: NDArray[np.intp]
    digests: NDArray[np.uint8]
    numbers: NDArray[np.uint64]
    ordered: NDArray[np.uint64]
    broken: Mapping[str, NDArray[np.intp]]
    other_periods: int
    already_logged: int
    erased: int


def _score(batch: Batch, part: Part, rows: Rows, elsewhere: Elsewhere | None) -> Receipt:
    work = opened(batch.champion)
    log = ScoreLog(batch.workspace)
    if elsewhere is not None:  # until it is there again the part is not done, or a crash would leave half of a change
        log.file(batch.key, f"{part.name}.parquet").unlink(missing_ok=True)
    chosen = _choose(batch, work.scorer.hash, rows, elsewhere)
    is_whole = len(chosen.rows) == part.rows
    columns = rows.columns if is_whole else select_rows(rows.columns, chosen.rows)
    table = rows.table if is_whole else rows.table.take(chosen.rows)
    answers = work.scorer.score(columns) if len(table) else _nothing(work.scorer)
    declined = answers.unapproved if batch.with_reasons else answers.unapproved[:0]
    told = work.scorer.reasons(columns, declined) if len(declined) else Reasons([], [], [])
    groups = dict(zip(declined.tolist(), told.groups, strict=True))
    words = dict(zip(declined.tolist(), told.words, strict=True))
    segment = levels_of(table[batch.roles.segment]) if batch.roles.segment else None
    profile = profile_of_part(work.reference, columns, answers, groups, segment)
    receipt = _receipt(batch, work.scorer.hash, part, rows, chosen, answers, profile.overall.reasons)
    decisions = _decisions(batch, work.scorer, part, table, rows.ids, chosen, answers, words, segment)
    kept = _sample(chosen.numbers, batch.sampled)
    features = _features(columns, batch.roles, decisions["decision_id"], kept)
    notices = notices_of(decisions, work.scorer.policy.reasons) if batch.with_notices else None
    files = PartitionFiles(features, _protected(table, batch.roles), profile, batch.sampled, notices)
    _quarantine(batch, part, rows.table, chosen.broken)
    _keep_numbers(batch, part, chosen.ordered)
    batch.receipts.keep(receipt)
    log.write_again(batch.key, part.name, decisions, files)
    return receipt


def _nothing(scorer: Scorer) -> ScoredApplications:
    """Return the answers for no rows: there are libraries that refuse to give them."""
    none, whole = np.empty(0), np.empty(0, dtype=np.intp)
    return ScoredApplications(none, none, whole.astype(np.int64), whole, whole, scorer.band_names)


def _choose(batch: Batch, model_hash: str, rows: Rows, elsewhere: Elsewhere | None) -> _Chosen:
    sound, now = rows.sound, None if rows.months is None else rows.months == np.datetime64(batch.key.period, "M")
    kept = np.ones(len(rows.table), dtype=bool) if sound is None else sound
    erased = _erased(batch, rows)
    broken = dict(rows.broken)
    if erased is not None:
        kept = kept & ~erased
        broken = {rule: found[~erased[found]] for rule, found in broken.items() if not erased[found].all()}
    ours = kept if now is None else kept & now
    chosen = np.flatnonzero(ours)
    ids = rows.ids if len(chosen) == len(ours) else rows.ids.take(chosen)
    digests = digests_of(batch.key, model_hash, ids)
    numbers = numbers_of_digests(digests)
    ordered = np.sort(numbers)
    is_repeating = bool((ordered[1:] == ordered[:-1]).any())
    repeated = np.asarray(ids.to_pandas().duplicated()) if is_repeating else np.zeros(len(chosen), dtype=bool)
    logged = np.zeros(len(chosen), dtype=bool)
    if batch.known is not None:
        logged |= _isin(numbers, np.load(batch.known, mmap_mode="r"))
    if elsewhere is not None:
        logged |= _isin(numbers, elsewhere.logged)
        repeated = repeated | _isin(numbers, elsewhere.repeated)
    repeated = repeated & ~logged
    if repeated.any():
        broken[f"'{batch.roles.id}' repeats"] = chosen[repeated]
    rest = ~(logged | repeated)
    if not rest.all():
        chosen, digests, numbers = chosen[rest], digests[rest], numbers[rest]
        ordered = np.sort(numbers)
    counts = int(kept.sum() - ours.sum()), int(logged.sum()), 0 if erased is None else int(erased.sum())
    return _Chosen(chosen, digests, numbers, ordered, broken, *counts)


def _erased(batch: Batch, rows: Rows) -> NDArray[np.bool_] | None:
    """Return which rows are those of people who were erased, None where nobody was."""
    if not batch.returning:
        return None
    customer = batch.roles.customer
    customers = None if customer is None else texts_of(rows.table[customer]).to_numpy(zero_copy_only=False)
    return batch.returning.rows(customers, rows.ids.to_numpy(zero_copy_only=False))


def _isin(numbers: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which numbers are among known ones, which are sorted."""
    if not len(known):
        return np.zeros(len(numbers), dtype=bool)
    order = np.argsort(numbers)  # one way through what may be a large file
    places = np.minimum(np.searchsorted(known, numbers[order]), len(known) - 1)
    found = np.empty(len(numbers), dtype=bool)
    found[order] = known[places] == numbers[order]
    return found


def _receipt(
    batch: Batch,
    model_hash: str,
    part: Part,
    rows: Rows,
    chosen: _Chosen,
    answers: ScoredApplications,
    reasons: Mapping[str, int],
) -> Receipt:
    known = None if rows.months is None else rows.months[~np.isnat(rows.months)]
    months = (None, None) if known is None or not len(known) else (str(known.min()), str(known.max()))
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
        other_periods=chosen.other_periods,
        erased=chosen.erased,
        quarantined={rule: len(found) for rule, found in chosen.broken.items()},
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
    chosen: _Chosen,
    answers: ScoredApplications,
    words: Mapping[int, Sequence[str]],
    segment: Levels | None,
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
        by_row["customer_id"] = texts_of(table[batch.roles.customer])
    if words:
        by_row["reasons"] = pa.array([words.get(row) for row in range(rows)], columns.field("reasons").type)
    if segment is not None:
        by_row["segment"] = coded_array(segment)
    shared = batch.key.columns | {
        "decided_at": batch.decided_at,
        "model_hash": scorer.hash,
        "policy_hash": batch.policy_hash,
        "input_fingerprint": part.fingerprint,
    }
    return log_rows(Decisions(rows, shared, by_row))


def _sample(numbers: NDArray[np.uint64], share: float) -> NDArray[np.intp]:
    """Return the rows whose features are kept: see `is_sampled`."""
    return np.arange(len(numbers)) if share >= 1 else np.flatnonzero(numbers < np.uint64(int(share * 2**64)))


def _features(columns: Mapping[str, Any], roles: BatchRoles, ids: pa.ChunkedArray, kept: NDArray[np.intp]) -> pa.Table:
    some = select_rows({name: columns[name] for name in (*roles.numeric, *roles.categorical)}, kept)
    arrays = {name: pa.array(some[name], from_pandas=True) for name in roles.numeric}
    arrays |= {name: coded_array(some[name]) for name in roles.categorical}
    return pa.table(arrays | {"decision_id": ids.take(pa.array(kept))})


def _protected(table: pa.Table, roles: BatchRoles) -> pa.Table:
    return pa.table({name: coded_array(levels_of(table[name])) for name in roles.protected})


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
