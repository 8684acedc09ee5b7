"""The verb score: scores a table of applications into the score log, with the champion or as a shadow."""

import pickle
from dataclasses import replace

from pipelines.applications.roles import customer_column
from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.copies import copy_decisions
from pipelines.batch.part import Champion, opened
from pipelines.batch.rows import BatchRoles
from pipelines.batch.settings import ReasonsFor, ScoreSettings
from pipelines.batch.streaming import Done, Request, score_input, totals, workers
from pipelines.batch.summary import Counts, outcome_of
from pipelines.batch.tables import ScoredTable, open_table
from pipelines.command.verb import Outcome
from pipelines.credit.population import Population
from pipelines.errors import ConfigurationError, DataError, RequestError
from pipelines.ledger.champion import FollowedLedger, proven_champion
from pipelines.model_store.profile import profile_path
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.policy.pack import check_policy
from pipelines.policy.stored_policies import keep_policy
from pipelines.profiles.dimensions import dimensions_of
from pipelines.score_log.columns import DECISION, SHADOW
from pipelines.score_log.key import LogKey, check_period
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.parquet_parts import ParquetInput, survey
from pipelines.storage.workspace import Workspace

ONE_PROCESS = 250_000
"""A table of up to so many rows is scored in one process: more take longer to start."""


def score(settings: ScoreSettings) -> Outcome:
    """Score a table with the champion into the log; decisions of the period, of any version, stay as they are.

    With a version its shadow scores are written instead, of all applications, and decide nothing.

    Raises:
        RequestError: no champion, the champion as its own shadow, a period that is not a month, or an invalid policy.
        ChampionDisputed: alias, ledger and files do not agree on the champion.
        DataError: the table breaks its contract, lacks a column of the model, has times and none of the period, or has
            no ids and holds rows that are logged.
        ThinfileError: the disk is full, or a process was killed.
    """
    _check_settings(settings)
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    registered = proven_champion(store, settings.model) if settings.version is None else _shadow(store, settings)
    folder, profile = store.download(registered), profile_path(store, registered)
    champion = Champion(folder, registered, settings.policy, profile)
    role = DECISION if settings.version is None else SHADOW
    key = LogKey(settings.model, registered.version, settings.population, settings.period, role)
    data = _data_of_book(settings.data) if settings.population is Population.book else settings.data
    usual_id = "customer_id" if settings.population is Population.book else "application_id"
    with open_table(data, settings.input, usual_id, workspace) as table:
        parts = survey(table.source)
        if not parts.rows:
            raise DataError(f"'{table.path}' has no rows; name a table of applications")
        roles = _roles(data, table, parts, champion)
        request = Request(
            parts=parts.named_for((roles.id, roles.time)),
            workspace=workspace,
            key=key,
            table=table,
            roles=roles,
            champion=champion,
            policy_hash=keep_policy(workspace, settings.policy),
            with_reasons=_gives_reasons(settings),
            with_notices=settings.notices,
            features_kept=settings.features_kept if settings.input and not table.is_converted else parts.rows,
            max_quarantined=settings.data.max_quarantined,
            max_unknown=settings.data.max_unknown,
        )
        processes = 1 if parts.rows <= ONE_PROCESS else settings.threads
        with workers(settings, request, processes) as work:
            done = score_input(request, work, settings.threads)
        if settings.decisions_to is not None:
            names = {part.name for part in done.parts.parts}
            copy_decisions(ScoreLog(workspace), key, names, settings.decisions_to)
    return outcome_of(settings, key, _counts(done, request))


def _check_settings(settings: ScoreSettings) -> None:
    """Raise RequestError for settings that no table can be scored by."""
    check_period(settings.period)
    check_policy(settings.policy)
    if settings.notices and settings.version is not None:
        raise ConfigurationError("notices=true needs decisions, and shadow scores decide nothing; leave out version")
    _check_notices(settings)
    if settings.threads < 1:
        raise ConfigurationError(f"threads must be at least 1, received {settings.threads}; use for example threads=2")
    if settings.features_kept < 0:
        raise ConfigurationError(f"features_kept is {settings.features_kept}; set a number of rows, 0 for none")
    if not 0 <= settings.data.max_quarantined <= 1:
        raise ConfigurationError(
            f"data.max_quarantined is {settings.data.max_quarantined}; set a share from 0 to 1, such as 0.1"
        )
    if settings.data.max_unknown is not None and not 0 <= settings.data.max_unknown <= 1:
        raise ConfigurationError(
            f"data.max_unknown is {settings.data.max_unknown}; set a share from 0 to 1, or null for any share"
        )


def _shadow(store: ModelStore, settings: ScoreSettings) -> RegisteredModel:
    """Return the version whose shadow scores are asked for. Raises RequestError where it is the champion."""
    assert settings.version is not None
    registered = store.version(settings.model, settings.version)
    if registered.version == FollowedLedger(store, settings.model).number():
        raise RequestError(
            f"version {registered.version} is the champion, which decides; leave out version={registered.version}"
        )
    return registered


def _roles(data: DataSettings, table: ScoredTable, parts: ParquetInput, champion: Champion) -> BatchRoles:
    """Return the roles of the columns; customers have their usual name where no other is configured."""
    names = parts.schemas[0][1].names
    if table.id not in names and data.id is None:
        raise DataError(f"input '{table.path}' has no column '{table.id}'; add data.id=COLUMN")
    work = opened(pickle.dumps(champion))
    dimensions = dimensions_of(data, work.reference.bins if work.reference else ())
    for one in dimensions:
        if one.name in data.protected:
            raise ConfigurationError(
                f"data.segments names '{one.name}', a protected attribute, which is never kept beside decisions; name "
                "another column"
            )
    return BatchRoles(
        id=table.id,
        numeric=tuple(work.scorer.numeric),
        categorical=tuple(work.scorer.categorical),
        time=data.time,
        customer=customer_column(data, names),
        dimensions=dimensions,
        protected=tuple(data.protected),
        contract=work.scorer.predictor.contract.of(data),
    )


def _data_of_book(data: DataSettings) -> DataSettings:
    """Return the roles of a book; the rows of a marketplace's book are customers without an application time."""
    return replace(data, id=data.customer, time=None) if data.source is Source.marketplace else data


def _check_notices(settings: ScoreSettings) -> None:
    """Raise ConfigurationError for notices that would have no text."""
    if not settings.notices:
        return
    if not _gives_reasons(settings):
        raise ConfigurationError(
            "notices=true and no application gets reasons, which a notice lists; set reasons_for=declined or leave "
            "notices=true out"
        )
    reasons = settings.policy.reasons
    if not (reasons.opening or reasons.notice):
        raise ConfigurationError(
            f"notices=true and policy '{settings.policy.name}' has no text for a notice; set policy.reasons.opening "
            "and policy.reasons.notice, or use a policy that has them (us_lending, eu, china)"
        )


def _gives_reasons(settings: ScoreSettings) -> bool:
    """Return whether the declined get reasons: by default those of applications, not those of a rescored book."""
    usual = ReasonsFor.declined if settings.population is Population.applications else ReasonsFor.nobody
    return (settings.reasons_for or usual) is ReasonsFor.declined


def _counts(done: Done, request: Request) -> Counts:
    everything, now = totals(done.receipts), totals(done.now())
    scored = now["scored"]
    return Counts(
        rows_in=everything["rows"],
        other_periods=everything["other_periods"],
        scored=scored,
        other_versions=everything["other_versions"],
        versions=done.versions,
        already_logged=everything["already_logged"] + everything["scored"] - scored,
        erased=everything["erased"],
        quarantined=everything["quarantined"],
        decisions=now["decisions"],
        reasons=now["reasons"],
        unknown=everything["unknown"],
        unknown_examples={name: texts for one in done.receipts for name, texts in one.unknown_examples.items()},
        all_scored=everything["scored"],
        mean_pd=sum(one.sum_pd for one in done.now()) / scored if scored else None,
        with_reasons=request.with_reasons,
    )
