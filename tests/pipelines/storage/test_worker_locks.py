"""One owner at a time; what a dead one held is free."""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, update

from pipelines.storage.worker_locks import LOCKS, WorkerLocks
from pipelines.storage.workspace import sqlite_url


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return create_engine(sqlite_url(tmp_path / "locks.db"))


def test_a_held_lock_is_refused_until_it_is_released(engine: Engine) -> None:
    first, second = WorkerLocks(engine), WorkerLocks(engine)
    with first.held("trial/1") as mine:
        assert mine
        with second.held("trial/1") as theirs, second.held("trial/2") as other:
            assert (theirs, other) == (False, True)
    with second.held("trial/1") as theirs:
        assert theirs


def test_a_lock_that_was_not_renewed_has_expired(engine: Engine) -> None:
    first, second = WorkerLocks(engine), WorkerLocks(engine)
    with first.held("trial/1"):
        with engine.begin() as connection:
            connection.execute(update(LOCKS).values(owner="another host:1:1", expires=time.time() - 1))
        with second.held("trial/1") as theirs:
            assert theirs


def test_another_host_is_not_taken_for_dead(engine: Engine) -> None:
    first, second = WorkerLocks(engine), WorkerLocks(engine)
    with first.held("trial/1"):
        with engine.begin() as connection:
            connection.execute(update(LOCKS).values(owner="another host:1:1"))
        with second.held("trial/1") as theirs:
            assert not theirs


def test_what_a_killed_process_held_is_free_at_once_even_while_it_is_a_zombie(engine: Engine, tmp_path: Path) -> None:
    # given: a process that holds a lock and works on a study
    script = f"""
        import time
        from sqlalchemy import create_engine
        from pipelines.storage.worker_locks import WorkerLocks
        locks = WorkerLocks(create_engine("{sqlite_url(tmp_path / "locks.db")}"))
        with locks.held("trial/1") as mine, locks.held_as_worker("study"):
            print(mine, flush=True)
            time.sleep(60)
    """
    holder = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    locks = WorkerLocks(engine)
    assert locks.has_worker("study")
    # when: it is killed, and nobody has looked at its end yet
    holder.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while locks.has_worker("study") and time.monotonic() < deadline:
        time.sleep(0.01)
    # then
    assert not locks.has_worker("study")
    with locks.held("trial/1") as mine:
        assert mine
    holder.wait()
    holder.stdout.close()
