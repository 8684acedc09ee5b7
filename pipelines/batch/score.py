"""The verb score: the champion answers for a table of applications, and the answers go to the score log."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.applications.applications import Applications, load_applications
from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.counting import profile_of_part
from pipelines.batch.notices import notices_of
from pipelines.batch.part import Champion
from pipelines.batch.rows import BatchRoles
from pipelines.batch.settings import BatchEngine, ReasonsFor, ScoreSettings
from pipelines.batch.streaming import Done, Request, score_input, totals, workers
from pipelines.batch.summary import Counts, outcome_of
from pipelines.batch.unscored import all_who_asked, not_logged, of_period
from pipelines.candidates.portable_model import columns_of, levels_of
from pipelines.command.verb import Outcome
from pipelines.credit.population import Population
from pipelines.errors import ConfigurationError, DataError, RequestError
from pipelines.model_store.files import PROFILE
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.policy.pack import check_policy
from pipelines.policy.stored_policies import keep_policy
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.score_log.columns import Decisions, log_rows, row_schema
from pipelines.score_log.key import LogKey, check_period, decision_ids
from pipelines.score_log.receipts import Receipt, Receipts
from pipelines.score_log.score_log import PartitionFiles, ScoreLog
from pipelines.scoring.scorer import DECISIONS, ScoredApplications, Scorer, open_scorer
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.parquet_parts import is_parquet, survey
from pipelines.storage.workspace import Workspace

STREAMED_FROM = 250_000
"""A Parquet table of more rows than this is scored part by part, whether or not `input` says so."""


@dataclass(frozen=True)
class Scores:
    """Answers for n applications: raw log-odds, probability of default, points, band, decision, reasons.

    The approved have no reasons: None. `groups` are the groups of features behind the reasons, by row.
    """

    raw_score: NDArray[np.float64]
    pd: NDArray[np.float64]
    points: NDArray[np.int64]
    band: NDArray[np.str_]
    decision: NDArray[np.str_]
    reasons: Sequence[list[str] | None]
    groups: dict[int, list[str]]
    answers: ScoredApplications


def score(settings: ScoreSettings) -> Outcome:
    """Score a table with the champion into the log; what is logged for the period already stays as it is.

    Raises:
        RequestError: no champion, a period that is not a month, or a policy that cannot rank.
        DataError: the table breaks its contract, lacks a column of the model, has times and none of the period, or has
            no ids and holds rows that are logged.
        ThinfileError: there is no room in the workspace, or a process was killed.
    """
    check_period(settings.period)
    check_policy(settings.policy)
    if settings.threads < 1:
        raise ConfigurationError(f"threads must be at least 1, received {settings.threads}; use for example threads=2")
    if settings.data.segment is not None and settings.data.segment in settings.data.protected:
        raise ConfigurationError(
            f"a protected attribute must not stand beside decisions, received data.segment={settings.data.segment}; "
            "name another column"
        )
    store = existing_store(Workspace.at(settings.workspace), settings.model)
    champion = store.require_champion(settings.model)
    streamed = _streamed(settings)
    if streamed is not None:
        return _score_parts(settings, streamed, store, champion)
    return _score_table(settings, store, champion)


def score_features(scorer: Scorer, features: pd.DataFrame, *, with_reasons: bool = True) -> Scores:
    """Return the scorer's answers, and the reasons of what is not approved."""
    columns = columns_of(features, scorer.numeric, scorer.categorical)
    answers = scorer.score(columns)
    declined = answers.unapproved if with_reasons else answers.unapproved[:0]
    found = scorer.reasons(columns, declined)
    reasons: list[list[str] | None] = [None] * len(features)
    for row, words in zip(declined.tolist(), found.words, strict=True):
        reasons[row] = words
    groups = dict(zip(declined.tolist(), found.groups, strict=True))
    return Scores(
        answers.raw_score, answers.pd, answers.points, answers.band, answers.decision, reasons, groups, answers
    )


def _streamed(settings: ScoreSettings) -> Path | None:
    """Return the Parquet input that is scored part by part, None for a table that is read whole."""
    if settings.input and not Path(settings.input).exists():
        raise RequestError(
            f"input must be a Parquet file or a folder of them, found nothing at '{settings.input}'; correct input"
        )
    told = settings.input or all_who_asked(settings.data)
    if told is None or not Path(told).exists() or not is_parquet(Path(told)):
        return None
    if settings.input:
        return Path(told)
    if settings.data.id is None or survey(Path(told), ()).rows <= STREAMED_FROM:
        return None
    return Path(told)


def _score_parts(settings: ScoreSettings, source: Path, store: ModelStore, champion: RegisteredModel) -> Outcome:
    workspace = Workspace.at(settings.workspace)
    key = LogKey(settings.model, champion.version, settings.population, settings.period)
    scorer = open_scorer(store, champion, settings.policy)
    request = Request(
        workspace=workspace,
        key=key,
        source=source,
        roles=_roles(settings, source, scorer),
        champion=Champion(store.download(champion), champion, settings.policy),
        policy_hash=keep_policy(workspace, settings.policy),
        with_reasons=_gives_reasons(settings),
        with_notices=settings.notices,
        features_kept=settings.features_kept,
        max_quarantined=settings.data.max_quarantined,
    )
    with workers(settings.engine, request, _processes(settings, source), settings.memory) as work:
        done = score_input(request, work, settings.threads)
    _check_months(done, settings.period)
    return outcome_of(settings, key, champion, _counts(done, request))


def _processes(settings: ScoreSettings, source: Path) -> int:
    """Return how many processes are worth starting."""
    return 1 if survey(source, ()).rows <= STREAMED_FROM else settings.threads


def _roles(settings: ScoreSettings, source: Path, scorer: Scorer) -> BatchRoles:
    """Return the roles of the columns; ids and customers have their usual names where nobody told others."""
    known = survey(source, ()).schemas[0][1].names
    data = _data_of_book(settings.data) if settings.population is Population.book else settings.data
    usual = "customer_id" if settings.population is Population.book else "application_id"
    named = data.id or (usual if usual in known else None)
    if named is None:
        raise DataError(
            f"a table that is scored part by part needs ids, received no data.id and it has no column '{usual}'; add "
            "data.id=COLUMN"
        )
    customer = data.customer or ("customer_id" if "customer_id" in known else None)
    columns = tuple(scorer.numeric), tuple(scorer.categorical)
    return BatchRoles(named, *columns, data.time, customer, data.segment, tuple(data.protected))


def _data_of_book(data: DataSettings) -> DataSettings:
    """Return what is said of a marketplace's book: it names customers, all at one time."""
    return replace(data, id=data.customer, time=None) if data.source is Source.marketplace else data


def _gives_reasons(settings: ScoreSettings) -> bool:
    """Return whether the declined get reasons: by default those who asked, for in a rescored book nobody did."""
    usual = ReasonsFor.declined if settings.population is Population.applications else ReasonsFor.nobody
    return (settings.reasons_for or usual) is ReasonsFor.declined


def _check_months(done: Done, period: str) -> None:
    """Raise DataError where the applications have times and none is of the period."""
    told = totals(done.receipts)
    firsts = [one.first_month for one in done.receipts if one.first_month]
    if told["other_periods"] and not told["scored"] + told["already_logged"]:
        lasts = [one.last_month for one in done.receipts if one.last_month]
        raise DataError(
            f"a period's decisions are about its own applications, none was made in {period} "
            f"({min(firsts)} to {max(lasts)}); correct period or data.time"
        )


def _counts(done: Done, request: Request) -> Counts:
    everything, now = totals(done.receipts), totals(done.now())
    scored = now["scored"]
    return Counts(
        rows_in=everything["rows"],
        other_periods=everything["other_periods"],
        scored=scored,
        already_logged=everything["already_logged"] + everything["scored"] - scored,
        erased=everything["erased"],
        quarantined=everything["quarantined"],
        decisions=now["decisions"],
        reasons=now["reasons"],
        mean_pd=sum(one.sum_pd for one in done.now()) / scored if scored else None,
        with_reasons=request.with_reasons,
    )


def _score_table(settings: ScoreSettings, store: ModelStore, champion: RegisteredModel) -> Outcome:
    workspace, scorer = Workspace.at(settings.workspace), open_scorer(store, champion, settings.policy)
    if settings.engine is BatchEngine.spark:
        raise ConfigurationError(
            "engine=spark scores Parquet files part by part, received a table that is read whole; add input=FOLDER"
        )
    asked = replace(settings.data, path=settings.input or all_who_asked(settings.data))
    data = replace(asked, numeric=scorer.numeric, categorical=scorer.categorical, infer=False)
    everyone = load_applications(data, workspace, labelled=False)
    applications = of_period(everyone, settings.period)
    key = LogKey(settings.model, champion.version, settings.population, settings.period)
    log = ScoreLog(workspace)
    with log.locked(key):
        new = not_logged(applications, log, key)
        scores = score_features(scorer, new.features, with_reasons=_gives_reasons(settings))
        counts = _counts_of_table(settings, everyone, applications, scores)
        if len(new):
            found_policy, reference = keep_policy(workspace, settings.policy), _reference(store, champion)
            partition = _log(log, key, scorer, new, scores, found_policy, reference, with_notices=settings.notices)
            receipt = _receipt(partition, counts, new, scorer, found_policy, scores)
            Receipts(key.folder(workspace.score_log / "receipts")).keep(receipt)
    return outcome_of(settings, key, champion, counts)


def _receipt(
    partition: str, counts: Counts, new: Applications, scorer: Scorer, policy_hash: str, scores: Scores
) -> Receipt:
    """Return what became of the rows of a table that was read whole, as of a part of a larger one."""
    months = None if new.times is None else new.times.astype("datetime64[M]")
    return Receipt(
        partition=partition,
        fingerprint=new.fingerprint,
        id=new.roles.id or "",
        rows=counts.rows_in,
        model_hash=scorer.hash,
        policy_hash=policy_hash,
        scored=counts.scored,
        already_logged=counts.already_logged,
        other_periods=counts.other_periods,
        erased=counts.erased,
        quarantined=dict(counts.quarantined),
        decisions={name: number for name, number in counts.decisions.items() if number},
        reasons=dict(counts.reasons),
        sum_pd=float(scores.pd.sum()),
        first_month=None if months is None else str(months.min()),
        last_month=None if months is None else str(months.max()),
    )


def _reference(store: ModelStore, champion: RegisteredModel) -> ReferenceProfile | None:
    path = store.download(champion) / PROFILE
    return ReferenceProfile.from_json(path.read_text()) if path.exists() else None


def _log(
    log: ScoreLog,
    key: LogKey,
    scorer: Scorer,
    new: Applications,
    scores: Scores,
    found_policy: str,
    reference: ReferenceProfile | None,
    *,
    with_notices: bool,
) -> str:
    """Write a partition and return its name."""
    answers = ("raw_score", "pd", "points", "band", "decision", "reasons")
    columns = {"application_id": new.ids, **{name: getattr(scores, name) for name in answers}}
    columns |= {} if new.customers is None else {"customer_id": new.customers}
    columns |= {} if new.segments is None else {"segment": new.segments}
    columns["decision_id"] = decision_ids(key, scorer.hash, new.ids)
    by_row = {name: pa.array(values, row_schema().field(name).type) for name, values in columns.items()}
    hashes = {"model_hash": scorer.hash, "policy_hash": found_policy, "input_fingerprint": new.fingerprint}
    shared = key.columns | hashes | {"decided_at": datetime.now(UTC)}
    table = log_rows(Decisions(len(new), shared, by_row))
    # Named by its decisions: another part of the same table is another partition, the same part run again is the same.
    partition = fingerprint_record(sorted(table["decision_id"].to_pylist()))[:16]
    features = columns_of(new.features, scorer.numeric, scorer.categorical)
    segments = None if new.segments is None else levels_of(new.segments)
    profile = profile_of_part(reference, features, scores.answers, scores.groups, segments)
    notices = notices_of(table, scorer.policy.reasons) if with_notices else None
    name = f"{new.fingerprint[:16]}-{partition}"
    log.write(key, name, table, PartitionFiles(new.features, new.protected, profile, notices=notices))
    return name


def _counts_of_table(
    settings: ScoreSettings, everyone: Applications, applications: Applications, scores: Scores
) -> Counts:
    scored = len(scores.pd)
    codes = np.bincount(scores.answers.decision_codes, minlength=len(DECISIONS)).tolist()
    return Counts(
        rows_in=len(everyone) + everyone.erased + sum(applications.quarantined.values()),
        other_periods=len(everyone) - len(applications),
        scored=scored,
        already_logged=len(applications) - scored,
        erased=everyone.erased,
        quarantined=applications.quarantined,
        decisions=dict(zip(DECISIONS, codes, strict=True)),
        reasons=dict(Counter(group for some in scores.groups.values() for group in some).most_common()),
        mean_pd=float(scores.pd.mean()) if scored else None,
        with_reasons=_gives_reasons(settings),
    )
