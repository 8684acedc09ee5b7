"""The verb score: scores a table of applications with the champion into the score log."""

import pickle
from dataclasses import replace

from pipelines.applications.roles import customer_column
from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.part import Champion, opened
from pipelines.batch.rows import BatchRoles
from pipelines.batch.settings import ReasonsFor, ScoreSettings
from pipelines.batch.streaming import Done, Request, score_input, totals, workers
from pipelines.batch.summary import Counts, outcome_of
from pipelines.batch.tables import ScoredTable, open_table
from pipelines.command.verb import Outcome
from pipelines.credit.population import Population
from pipelines.errors import ConfigurationError, DataError
from pipelines.model_store.store import existing_store
from pipelines.policy.pack import check_policy
from pipelines.policy.stored_policies import keep_policy
from pipelines.profiles.dimensions import dimensions_of
from pipelines.score_log.key import LogKey, check_period
from pipelines.storage.parquet_parts import ParquetInput, survey
from pipelines.storage.workspace import Workspace

ONE_PROCESS = 250_000
"""A table of up to so many rows is scored in one process: more take longer to start."""


def score(settings: ScoreSettings) -> Outcome:
    """Score a table with the champion into the log; decisions of the period, of any version, stay as they are.

    Raises:
        RequestError: no champion, a period that is not a month, or an invalid policy.
        DataError: the table breaks its contract, lacks a column of the model, has times and none of the period, or has
            no ids and holds rows that are logged.
        ThinfileError: the disk is full, or a process was killed.
    """
    check_period(settings.period)
    check_policy(settings.policy)
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
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    registered = store.require_champion(settings.model)
    champion = Champion(store.download(registered), registered, settings.policy)
    key = LogKey(settings.model, registered.version, settings.population, settings.period)
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
        with workers(settings.engine, request, processes, settings.memory) as work:
            done = score_input(request, work, settings.threads)
    return outcome_of(settings, key, registered, _counts(done, request))


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
