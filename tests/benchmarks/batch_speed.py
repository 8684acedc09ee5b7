"""Measures the batch with its pool of processes already up, as a service that scores every month would have it."""

import pickle
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipelines.batch.part import Champion
from pipelines.batch.rows import BatchRoles
from pipelines.batch.streaming import Request, score_input
from pipelines.batch.tables import ScoredTable
from pipelines.batch.workers import pool
from pipelines.credit.population import Population
from pipelines.ledger.champion import proven_champion
from pipelines.model_store.profile import profile_path
from pipelines.model_store.store import ModelStore
from pipelines.policy.pack import PolicySettings
from pipelines.policy.stored_policies import keep_policy
from pipelines.score_log.key import LogKey
from pipelines.storage.workspace import Workspace
from tests.benchmarks.batch_tables import CATEGORICAL, NUMERIC


def request_of(workspace: Workspace, source: Path) -> Request:
    """Return what a rescoring of a book asks for."""
    store, policy = ModelStore(workspace), PolicySettings()
    champion = proven_champion(store, "credit_score")
    return Request(
        workspace=workspace,
        key=LogKey("credit_score", champion.version, Population.book, "2026-01"),
        table=ScoredTable(source, source, "application_id"),
        roles=BatchRoles("application_id", tuple(NUMERIC), tuple(CATEGORICAL)),
        champion=Champion(store.download(champion), champion, policy, profile_path(store, champion)),
        policy_hash=keep_policy(workspace, policy),
        with_reasons=False,
        with_notices=False,
        features_kept=20_000,
        max_quarantined=0.1,
    )


def seconds(request: Request, runs: int, processes: int = 2) -> Iterator[float]:
    """Yield the seconds of each run, each into a month of its own; one before them warms up and is left out."""
    with pool(processes, pickle.dumps(request.champion)) as work:
        for run in range(runs + 1):
            month = replace(request, key=replace(request.key, period=f"{2026 + run // 12}-{1 + run % 12:02d}"))
            start = time.perf_counter()
            done = score_input(month, work, processes)
            taken = time.perf_counter() - start
            assert sum(one.scored for one in done.receipts) == done.parts.rows
            if run:
                yield taken
