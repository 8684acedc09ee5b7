"""Workers of one host share its cores, end with the block and are reported when they die."""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from experiments.search import workers as workers_module
from experiments.search.workers import THREAD_LIMITS, other_workers


def write_limits(folder: Path) -> None:
    assert "numpy" not in sys.modules  # it reads the limits when it is loaded
    (folder / str(os.getpid())).write_text(" ".join(os.environ[name] for name in THREAD_LIMITS))


def wait_forever(folder: Path) -> None:
    (folder / str(os.getpid())).touch()
    signal.pause()


def die(_: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def started(folder: Path, processes: int) -> list[int]:
    deadline = time.monotonic() + 60
    while len(files := list(folder.iterdir())) < processes:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return [int(file.name) for file in files]


def is_alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def test_workers_divide_the_cores_between_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_module, "usable_cores", lambda: 7)
    with other_workers(partial(write_limits, tmp_path), workers=3, threads=2):
        started(tmp_path, 2)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["2 2 2"] * 2
    assert not any(name in os.environ for name in THREAD_LIMITS)


def test_one_worker_starts_no_process(tmp_path: Path) -> None:
    with other_workers(partial(die, tmp_path), workers=1, threads=64):
        pass


def test_workers_end_with_the_block_whether_it_fails_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_module, "SECONDS_TO_END", 0.1)
    with other_workers(partial(wait_forever, tmp_path), workers=2, threads=1):
        started(tmp_path, 1)

    def interrupted() -> None:
        with other_workers(partial(wait_forever, tmp_path), workers=2, threads=1):
            started(tmp_path, 2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not any(map(is_alive, started(tmp_path, 2)))


def test_a_worker_that_dies_and_too_many_threads_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers_module, "usable_cores", lambda: 4)
    with other_workers(partial(die, tmp_path), workers=2, threads=3):
        pass
    assert caplog.messages == [
        "2 workers with threads=3 share 4 cores; threads=2 is faster",
        "1 of 2 workers ended early (exit code -9)",
    ]
