"""Any number of promoters at once: one wins, the others are told, and the ledger, the alias and the tags agree."""

import time
from pathlib import Path

import pytest

from experiments.promotion import verify as verifying
from experiments.promotion.settings import PromoteAction
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace
from tests.evidence.conftest import Evidence
from tests.evidence.promoters import Book, opened, processes, race, settings
from tests.experiments.ledgers import registered, said_by_registry
from tests.postgresql import fresh_database
from tests.real_parts import STORES

pytestmark = pytest.mark.integration

ROUNDS_OF_A_MODEL = 10


@pytest.fixture(params=STORES)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    if request.param == "sqlite":
        return None
    return fresh_database(request.getfixturevalue("postgresql"))


def test_of_racing_promoters_exactly_one_wins(
    evidence: Evidence, tmp_path: Path, database: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THINFILE_DATABASE", database or "")
    promoters = evidence.size(full=20, reduced=6)
    rounds = evidence.size(full=50, reduced=2)
    workspace = Workspace(tmp_path / "workspace", database)
    start, good = time.perf_counter(), 0
    for first in range(0, rounds, ROUNDS_OF_A_MODEL):
        book = (workspace.root, database, f"model {first}")
        store = ModelStore(workspace)
        for number in range(promoters + 1):
            registered(store, book[2], number)
        good += run_race(book, promoters, min(ROUNDS_OF_A_MODEL, rounds - first))
    name = "PostgreSQL" if database else "SQLite"
    evidence.record(
        f"24-promoters-{name.lower()}",
        claim=f"20 promoters at once, 50 rounds, over {name}: one promotes, 19 get a typed conflict, and ledger, alias "
        "and tags agree after each round",
        value=f"{good} of {rounds} rounds with {promoters} processes, {time.perf_counter() - start:.0f} s",
        bound="all",
        holds=good == rounds,
    )
    assert good == rounds


def run_race(book: Book, promoters: int, rounds: int) -> int:
    """Return in how many rounds one promoter won, the others were told, and everything agreed after."""
    context = processes()
    barrier, answers = context.Barrier(promoters + 1), context.Queue()
    racing = [context.Process(target=race, args=(n, book, rounds, barrier, answers)) for n in range(promoters)]
    for process in racing:
        process.start()
    good = 0
    try:
        for _ in range(rounds):
            barrier.wait(300)
            barrier.wait(300)
            told = sorted(answers.get(timeout=60) for _ in racing)
            assert told == ["conflict"] * (promoters - 1) + ["promoted"], told
            good += agrees(book)
            barrier.wait(300)
    finally:
        for process in racing:
            process.join(60)
    return good


def agrees(book: Book) -> bool:
    """Return whether verify finds nothing, and the registry's own words are those of the ledger's last promotion."""
    verified = verifying.verify(settings(book, PromoteAction.verify))
    assert verified.result["findings"] == []
    store, ledger = opened(book)
    last = ledger.entries[-1].content
    champion, stages = said_by_registry(store, book[2])
    crowned = [number for number, stage in stages.items() if stage == "champion"]
    return last["decision"] == "promoted" and crowned == [champion] == [last["version"]]
