"""A promotion or a rollback killed between any two of its steps: the next command finds all in order."""

import shutil
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from experiments.promotion.settings import PromoteAction
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace
from tests.evidence.conftest import Evidence
from tests.evidence.promoters import Book, die_at, in_a_process, recover
from tests.experiments.ledgers import Book as Prepared
from tests.postgresql import fresh_database
from tests.real_parts import STORES

MODEL = "killed"
WRITES = ("_insert", "set_registered_model_alias", "delete_registered_model_alias", "set_model_version_tag")
Copy = Callable[[], Book]
ACTIONS = (PromoteAction.apply, PromoteAction.rollback, PromoteAction.request)


@pytest.fixture(params=STORES)
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Copy:
    """Return books that are all alike: version 2 is champion after 1, version 3 and 4 are asked for."""
    database = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        database = fresh_database(server)
    store = ModelStore(Workspace(tmp_path / "first", database))
    prepared = Prepared(store, MODEL)
    prepared.promote(1)
    prepared.promote(2)
    store.set_alias(prepared.version(3), "challenger")
    prepared.ask(4)
    prepared.ask(3)
    prepared.version(5)
    artifacts, kept = store.workspace.artifacts, tmp_path / "artifacts"
    shutil.copytree(artifacts, kept)

    def copied() -> Book:
        place = tmp_path / f"copy{len(list(tmp_path.iterdir()))}"
        place.mkdir()
        shutil.rmtree(artifacts)  # MLflow has one place of the documents for all copies, which are used in turn
        shutil.copytree(kept, artifacts)
        if database is not None:
            store.client._tracking_client.store.engine.dispose()
            store.client._get_registry_client().store.engine.dispose()
            return place, fresh_database(server, template=database), MODEL
        for file in (*store.workspace.root.glob("*.db"), *store.workspace.root.glob("*.db-wal")):
            shutil.copy(file, place)
        return place, None, MODEL

    return copied


@pytest.mark.integration
def test_killed_at_a_step_of_a_decision_the_next_command_finds_all_in_order(evidence: Evidence, copy: Copy) -> None:
    killed, wrong = Counter[str](), []
    for action in ACTIONS:
        code, boundaries = in_a_process(die_at, copy(), action, None)
        assert code == 0
        for place in chosen(boundaries, evidence):
            book = copy()
            code, _ = in_a_process(die_at, book, action, place)
            assert code == -signal.SIGKILL
            killed[action.value] += 1
            _, found = in_a_process(recover, book, action)
            if not in_order(found, action):
                wrong.append((action.value, boundaries[place], found))
    kept_in = "sqlite" if copy()[1] is None else "postgresql"
    evidence.record(
        f"26-kill-boundaries-{kept_in}",
        claim="apply, rollback and request killed (kill -9) before and after every call to MLflow and every write to "
        "the chain: the next `promote verify` is clean, and the same command given again finishes, nothing twice "
        f"(ledger in {kept_in})",
        value=f"{killed.total() - len(wrong)} of {killed.total()} in order "
        f"({', '.join(f'{count} of {action}' for action, count in killed.items())})",
        bound="all",
        holds=not wrong,
    )
    assert not wrong, wrong[:3]


def chosen(boundaries: list[str], evidence: Evidence) -> list[int]:
    """Return where to kill: everywhere, or at two boundaries of a write."""
    if evidence.full:
        return list(range(len(boundaries)))
    writes = [place for place, name in enumerate(boundaries) if name.split()[1] in WRITES]
    return sorted(map(int, np.random.default_rng(26).choice(writes, 2, replace=False)))


def in_order(found: dict[str, object] | None, action: PromoteAction) -> bool:
    """Return whether all was well before and after the command was given again, and it was done once."""
    if found is None or found["verify"] != [0, 0] or found["again"] != [0, ""]:
        return False
    before, after = found["registry"]  # type: ignore[misc]
    done = {
        PromoteAction.apply: (3, {1: "retired", 2: "retired", 3: "champion", 4: "lapsed"}),
        PromoteAction.rollback: (1, {1: "champion", 2: "retired", 3: "lapsed", 4: "lapsed"}),
        PromoteAction.request: (2, {1: "retired", 2: "champion", 3: "requested", 4: "requested", 5: "requested"}),
    }[action]
    undone = (2, {1: "retired", 2: "champion", 3: "requested", 4: "requested"})
    prepared = ["requested", "promoted", "requested", "promoted", "requested", "requested"]
    name = {"apply": "promoted", "rollback": "rolled_back", "request": "requested"}[action.value]
    return before in (done, undone) and after == done and found["decisions"] == [*prepared, name]
