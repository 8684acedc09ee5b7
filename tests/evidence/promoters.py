"""What several processes do to one ledger at once, and one that dies at a step of its own choice.

Each process is forked from one that has imported everything and opened nothing.
"""

import importlib
import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import wraps
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from sqlalchemy.orm import configure_mappers

from experiments.promotion import actions as deciding
from experiments.promotion import verify as verifying
from experiments.promotion.ledger import PromotionConflict, PromotionLedger
from experiments.promotion.settings import PromoteAction, PromoteSettings
from pipelines.command.verb import Outcome, attempt
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION
from pipelines.storage.chain import Chain
from pipelines.storage.workspace import Workspace
from tests.experiments.ledgers import asked, evidence_of, said_by_registry

for module in ("mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store", "psycopg"):
    importlib.import_module(module)
configure_mappers()  # half a second, paid once here instead of in every process

PATIENCE = 300
WHY = "a test"
Book = tuple[Path, str | None, str]
"""Workspace, database and model."""


def processes() -> Any:
    """Return the way to start such processes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def opened(book: Book) -> tuple[ModelStore, PromotionLedger]:
    """Open the ledger of a book as a command does."""
    workspace = Workspace(book[0], book[1])
    store = ModelStore(workspace)
    return store, PromotionLedger(workspace, store, book[2])


def settings(book: Book, action: PromoteAction, **told: Any) -> PromoteSettings:
    """Return the settings of one command; its process finds the database in the environment."""
    os.environ["THINFILE_DATABASE"] = book[1] or ""
    return PromoteSettings(action=action, workspace=str(book[0]), model=book[2], **told)


def race(number: int, book: Book, rounds: int, barrier: Any, answers: Any) -> None:
    """Ask for the version that is this promoter's, wait for all, and promote it; so many rounds.

    In every second round the ledger was opened, and everything checked, before the start.
    """
    for turn in range(rounds):
        try:
            run = prepared(number, book, early=turn % 2 == 1)
            barrier.wait(PATIENCE)
            run()
            answers.put("promoted")
        except PromotionConflict:
            answers.put("conflict")
        except Exception as error:
            answers.put(f"{type(error).__name__}: {error}")
            barrier.abort()
            raise
        barrier.wait(PATIENCE)  # the parent counts
        barrier.wait(PATIENCE)


def prepared(number: int, book: Book, *, early: bool) -> Callable[[], object]:
    """Ask for one of the versions that are not champion, and return what then promotes it."""
    store, ledger = opened(book)
    others = [version for version in store.versions(book[2]) if CHAMPION not in version.aliases]
    request = asked(ledger, store, others[number])
    command = settings(book, PromoteAction.apply, request=request.sequence)
    if not early:
        return lambda: deciding.apply(command)
    store, ledger = opened(book)
    deciding.require_applicable(store, ledger, request, command)
    return lambda: ledger.promote(request.sequence)


def act(book: Book, action: PromoteAction) -> Outcome:
    """Give one command; a request is made on evidence that is always the same."""
    if action is PromoteAction.request:
        store, ledger = opened(book)
        challenger, champion = challenger_and_champion(store, book[2])
        evidence = evidence_of(challenger, champion, made_at="2026-01-01T00:00:00+00:00")
        return Outcome(ledger.request(challenger, evidence, WHY).content)
    tasks = {PromoteAction.apply: deciding.apply, PromoteAction.rollback: deciding.rollback}
    return attempt(tasks[action], settings(book, action, why=WHY))


def challenger_and_champion(store: ModelStore, model: str) -> tuple[RegisteredModel, RegisteredModel | None]:
    """Return the newest version and the champion."""
    return store.versions(model)[-1], store.aliased(model, CHAMPION)


def die_at(book: Book, action: PromoteAction, place: int | None, told: Connection) -> None:
    """Give one command and be killed at a step's boundary; with no place, tell what the boundaries are."""
    boundaries: list[str] = []
    steps = count()

    def boundary(name: str) -> None:
        boundaries.append(name)
        if next(steps) == place:
            os.kill(os.getpid(), signal.SIGKILL)

    def stepping(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def step(*arguments: Any, **named: Any) -> Any:
            boundary(f"before {function.__name__}")
            answer = function(*arguments, **named)
            boundary(f"after {function.__name__}")
            return answer

        return step

    for name, function in list(vars(MlflowClient).items()):
        if callable(function) and not name.startswith("_"):
            setattr(MlflowClient, name, stepping(function))
    Chain._insert = stepping(Chain._insert)  # type: ignore[method-assign]
    assert act(book, action).exit_code == 0
    told.send(boundaries)


def recover(book: Book, action: PromoteAction, told: Connection) -> None:
    """Tell what verify says, give the killed command again, and tell what then is."""
    verify = settings(book, PromoteAction.verify)
    first = attempt(verifying.verify, verify)
    store, _ = opened(book)
    said = said_by_registry(store, book[2])
    again = act(book, action)
    second = attempt(verifying.verify, verify)
    _, ledger = opened(book)
    told.send(
        {
            "verify": [first.exit_code, second.exit_code],
            "findings": [json.dumps(dict(outcome.result)) + outcome.error for outcome in (first, second)],
            "registry": [said, said_by_registry(store, book[2])],
            "again": [again.exit_code, again.error],
            "decisions": [str(entry.content["decision"]) for entry in ledger.entries],
        }
    )


def in_a_process(target: Callable[..., None], *arguments: Any) -> tuple[int, Any]:
    """Run a function in a process of its own and return its exit code and what it told."""
    context = processes()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, theirs))
    process.start()
    theirs.close()
    try:
        told = ours.recv() if ours.poll(PATIENCE) else None
    except EOFError:
        told = None
    process.join(PATIENCE)
    return process.exitcode, told
