"""Runs the real command, whole or killed on the way, and reads what a workspace then holds."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "thinfile")


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
