"""Runs the real command, whole or killed on the way, and reads what a workspace then holds."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.model_store.files import deciding_hash
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace

COMMAND = (sys.executable, "-m", "thinfile")
GIGABYTE = 2**30
PAGE = os.sysconf("SC_PAGE_SIZE")


def answer(*words: str) -> dict[str, Any]:
    """Run a verb to its end and return its JSON answer."""
    done = subprocess.run([*COMMAND, *words, "output=json"], capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["exit_code"] == done.returncode
    return told


def killed(seconds: float, *words: str) -> bool:
    """Run a verb and kill it, with all it started, after so many seconds; return whether it was still at work."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([*COMMAND, *words], stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds, and the most memory that all its processes held at once, in bytes."""

    seconds: float
    peak: int


def cost_of(*command: str) -> Cost:
    """Run a command to its good end and return what it took."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    peaks, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(0.1):
            peaks.append(sum(map(resident, [process.pid, *below(process.pid)])))

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(look)
        _, told = process.communicate()
        done.set()
        watching.result()
    assert process.returncode == 0, told[-3000:]
    return Cost(time.perf_counter() - start, max(peaks))


def resident(process: int) -> int:
    """Return the bytes of memory that a process holds, 0 when it is gone."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def below(process: int) -> Iterator[int]:
    """Yield the processes that a process started, and those that they did."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == process:
            yield int(folder.name)
            yield from below(int(folder.name))


def seconds_of(*words: str) -> float:
    """Return how long a verb takes."""
    start = time.perf_counter()
    answer(*words)
    return time.perf_counter() - start


def trials_of(workspace: Path) -> list[tuple[Any, ...]]:
    """Return every trial of a workspace's studies: number, state, value and parameters."""
    query = """
        select t.number, t.state, v.value, group_concat(p.param_name || '=' || p.param_value, ' ')
        from trials t left join trial_values v using (trial_id)
        left join (select * from trial_params order by param_name) p using (trial_id)
        group by t.trial_id order by t.number
    """
    with sqlite3.connect(workspace / "studies.db") as connection:
        return connection.execute(query).fetchall()


def runs_of(workspace: Path) -> list[tuple[str, str]]:
    """Return the name and status of every MLflow run of a workspace, sorted."""
    with sqlite3.connect(workspace / "mlflow.db") as connection:
        return sorted(connection.execute("select name, status from runs").fetchall())


def final_of(workspace: Workspace, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what two studies of the same settings agree on, the bytes that decide predictions included."""
    names = ("cv_auc", "best_trial", "parameters", "test", "trials", "version", "study")
    store = ModelStore(workspace)
    folder = store.download(store.version("credit_score", found["version"]))
    return {name: found[name] for name in names} | {"model": deciding_hash(folder)}
