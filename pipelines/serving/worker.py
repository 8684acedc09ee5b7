"""One worker process: opens what the application needs, serves requests and closes it again."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from pipelines.command.provenance import own_version
from pipelines.command.verb import log_plainly
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.policy.pack import PolicySettings, policy_hash
from pipelines.policy.stored_policies import kept_policy
from pipelines.profiles.dimensions import dimensions_of
from pipelines.reviews.reviews import Reviews
from pipelines.score_log.rolled_decisions import Rolled, RolledDecisions
from pipelines.scoring.scorer import open_scorer
from pipelines.serving.allowance import Allowance
from pipelines.serving.application import Application, Receive, Scope, Send
from pipelines.serving.champion import Champion, Features, Follower, Serving, features_of
from pipelines.serving.customer_features import CustomerBook
from pipelines.serving.decider import Asked, Decider, Decision, Standing, StandingDecision, answer_of
from pipelines.serving.journal import Journal
from pipelines.serving.keys import ApiKeys
from pipelines.serving.metrics import Metrics
from pipelines.serving.roller import logged_row
from pipelines.serving.settings import ServeSettings
from pipelines.storage.workspace import Workspace

logger = logging.getLogger(__name__)

TEND_SECONDS = 1.0


@dataclass(frozen=True)
class WorkerPlan:
    """What a worker is started with, passed to its process.

    `run` is the folder of this service's counters, `parent` the process that supervises it, `is_open` whether callers
    need no key as long as there is none, `follows_policy` whether each champion decides under the policy of its
    promotion.
    """

    settings: ServeSettings
    workers: int
    run: Path
    parent: int
    is_open: bool
    follows_policy: bool = False

    def __call__(self) -> "Worker":
        """Return the worker; the server's process calls this."""
        log_plainly()
        return Worker(self)


class Worker:
    """The ASGI application of one process."""

    def __init__(self, plan: WorkerPlan) -> None:
        self._plan = plan
        self._application: Application | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, or the start and end of the worker."""
        if scope["type"] == "http":
            assert self._application is not None
            await self._application(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with opened(self._plan) as self._application:
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            logger.error("a worker cannot start: %s", error)
            await send({"type": "lifespan.startup.failed", "message": type(error).__name__})
            return
        await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def opened(plan: WorkerPlan) -> AsyncIterator[Application]:
    """Yield the application of a worker; its files are closed in the end."""
    settings, workspace = plan.settings, Workspace.at(plan.settings.workspace)
    store = existing_store(workspace, settings.model)
    metrics = Metrics(plan.run)
    customers = CustomerBook(settings.book) if settings.book else None
    champion = Champion(
        store,
        settings.model,
        settings.policy,
        shadow_features(store, settings),
        metrics.count_event,
        follows_policy=plan.follows_policy,
        by_customer=customers is not None,
        segments=[one.name for one in dimensions_of(settings.data, ())],
    )
    journal = Journal(workspace.serving / "journal")
    rolled = RolledDecisions(workspace.serving / "decided.db")
    keys = ApiKeys(workspace.serving / "keys.json")
    keys.refresh()
    policies = _policies(workspace, settings.policy)

    limits = settings.limits
    application = Application(
        champion=champion,
        decider=Decider(journal, rolled, policies, customers),
        keys=keys,
        allowance=Allowance(limits.decisions_per_second, plan.workers, limits.most_decisions),
        metrics=metrics,
        limits=limits,
        logged=_logged(workspace, policies),
        standing=_standing(workspace),
        waiting=lambda: _waiting(journal),
        about=lambda: _about(champion.current, settings),
        is_open=plan.is_open,
        debug=settings.debug,
    )

    def count_version() -> None:
        metrics.serve_version(champion.current.version)

    count_version()
    refreshes = () if customers is None else (customers.refresh,)
    following = Follower(settings.follow_seconds, champion.follow, count_version, *refreshes)
    tending = Follower(TEND_SECONDS, keys.refresh, lambda: _end_when_orphaned(plan.parent))
    following.start()
    tending.start()
    reading = asyncio.create_task(_keep_up(journal))
    try:
        yield application
    finally:
        reading.cancel()
        following.stop()
        tending.stop()
        metrics.serve_version(0)
        rolled.close()
        journal.close()


def _logged(workspace: Workspace, policies: Any) -> Callable[[Rolled], Decision | None]:
    """Return a function that reads a decision back from the score log."""

    def logged(rolled: Rolled) -> Decision | None:
        row = logged_row(workspace, rolled)
        return None if row is None else answer_of(row, policies(row.policy_hash), Asked(rolled.amount, rolled.term))

    return logged


def _standing(workspace: Workspace) -> Callable[[Decision], StandingDecision]:
    """Return a function that adds the present state of a decision after reviews."""
    reviews, reading = Reviews(workspace), Lock()

    def standing(decision: Decision) -> StandingDecision:
        with reading:
            reviewed = reviews.standing(decision.decision_id, decision.decision)
        state = Standing(reviewed.decision, reviewed.is_overturned, reviewed.is_in_review, reviewed.decided_at)
        return StandingDecision(**msgspec.structs.asdict(decision), standing=state)

    return standing


def _about(serving: Serving, settings: ServeSettings) -> dict[str, Any]:
    return {
        "thinfile": own_version(),
        "model": serving.model,
        "model_version": serving.version,
        "model_hash": serving.scorer.hash,
        "policy": serving.scorer.policy.name,
        "policy_hash": serving.scorer.policy_hash,
        "shadow": settings.shadow,
    }


def shadow_features(store: ModelStore, settings: ServeSettings) -> Features:
    """Return the features of the shadow, empty without one. Raises RequestError when the version does not exist."""
    if settings.shadow is None:
        return {}
    return features_of(open_scorer(store, store.version(settings.model, settings.shadow), settings.policy, threads=1))


def _policies(workspace: Workspace, current: PolicySettings) -> Any:
    now = policy_hash(current)

    @lru_cache(maxsize=64)
    def policy_of(hash_: str) -> PolicySettings:
        return current if hash_ == now else kept_policy(workspace, hash_)

    return policy_of


def _waiting(journal: Journal) -> int:
    journal.look()
    return journal.waiting()


async def _keep_up(journal: Journal) -> None:
    """Read what other workers decide, and close what is in the score log, once a second."""
    while True:
        await asyncio.sleep(TEND_SECONDS)
        journal.look()
        journal.forget_rolled()


def _end_when_orphaned(parent: int) -> None:
    """Stop this worker when its supervisor is gone, which rolls the journal and restarts workers."""
    if os.getppid() != parent:
        logger.warning("the supervisor is gone, this worker stops")
        os.kill(os.getpid(), signal.SIGTERM)
