"""Runs that a dead worker left RUNNING are closed by those who can prove its death, and by no others."""

import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from experiments.search.tracking import _close_abandoned
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import LOCKS, STUDY, WORKER
from pipelines.storage.process import process_identity
from pipelines.storage.worker_locks import WorkerLocks
from pipelines.storage.workspace import Workspace, sqlite_url

GONE = "another host:1:1"


class Worker:
    """A worker of a study of one workspace, on a store of runs that several workspaces use."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        self.store = ModelStore(Workspace(root))
        self.experiment = self.store.experiment("shared")
        self.locks = WorkerLocks(create_engine(sqlite_url(root / "studies.db")))

    def open_run(self, study: str, worker: str = GONE, *, locks: str | None = None) -> str:
        tags = {STUDY: study, LOCKS: locks or self.locks.identity}
        return self.store.open_run(self.experiment, study, tags, labels={WORKER: worker})

    def close_abandoned(self, *, has_own_runs: bool = False) -> None:
        _close_abandoned(self.store, self, self.experiment, has_own_runs=has_own_runs)  # type: ignore[arg-type]

    def status(self, run: str) -> str:
        return str(self.store.client.get_run(run).info.status)


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Worker, Worker]:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_url(tmp_path / "runs.db"))
    return Worker(tmp_path / "a"), Worker(tmp_path / "b")


def test_a_run_is_closed_where_its_locks_are_and_left_alone_elsewhere(pair: tuple[Worker, Worker]) -> None:
    a, b = pair
    run = a.open_run("a study")
    b.close_abandoned()
    b.close_abandoned(has_own_runs=True)
    assert b.status(run) == "RUNNING"
    a.close_abandoned()
    assert a.status(run) == "KILLED"


def test_the_run_of_a_living_worker_is_left_alone(pair: tuple[Worker, Worker]) -> None:
    a, _ = pair
    run = a.open_run("a study")
    with a.locks.held_as_worker("a study"):
        a.close_abandoned()
        assert a.status(run) == "RUNNING"


def test_the_run_of_a_living_process_is_left_alone_by_a_copy_of_its_workspace(pair: tuple[Worker, Worker]) -> None:
    a, _ = pair
    living, dead = a.open_run("a study", process_identity()), a.open_run("another", process_identity(2**22 - 1))
    a.close_abandoned()
    assert (a.status(living), a.status(dead)) == ("RUNNING", "KILLED")


def test_a_run_of_an_earlier_version_is_closed_only_beside_its_locks(pair: tuple[Worker, Worker]) -> None:
    a, _ = pair
    run = a.store.open_run(a.experiment, "earlier", {STUDY: "earlier"})
    a.close_abandoned()
    assert a.status(run) == "RUNNING"
    a.close_abandoned(has_own_runs=True)
    assert a.status(run) == "KILLED"


def test_runs_that_are_no_study_s_are_left_alone(pair: tuple[Worker, Worker]) -> None:
    a, _ = pair
    run = a.store.open_run(a.experiment, "theirs", {"kind": "theirs"})
    a.close_abandoned(has_own_runs=True)
    assert a.status(run) == "RUNNING"


def test_equal_studies_of_two_workspaces_have_runs_of_their_own(pair: tuple[Worker, Worker]) -> None:
    a, b = pair
    assert a.open_run("one study") == a.open_run("one study") != b.open_run("one study")


def test_locks_know_themselves_again(pair: tuple[Worker, Worker], tmp_path: Path) -> None:
    a, b = pair
    again = WorkerLocks(create_engine(sqlite_url(tmp_path / "a" / "studies.db")))
    assert a.locks.identity == again.identity != b.locks.identity
    assert os.uname().nodename in a.locks.identity
