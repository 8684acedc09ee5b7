"""Runs searches in turn and records each as soon as it ends."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from tests.benchmarks.opponents.machine import QUIET, busy_seconds, machine, wait_until_quiet
from tests.benchmarks.opponents.measured import Measured, append, read_measured
from tests.benchmarks.opponents.plan import Run
from tests.benchmarks.opponents.rows import rows_of
from tests.benchmarks.opponents.systems import OURS, ROOT, Result, System, Task

LONGEST = 1800.0
"""Seconds after which a search is ended, and has failed."""


def known(folder: Path, runs: Iterable[Run]) -> dict[tuple[str, int, int, str], Measured]:
    """Return the newest result of each search that was measured with the code as it is."""
    codes = {run.system.name: run.system.code() for run in runs if run.system.missing is None}
    return {one.key: one for one in read_measured(folder / "measured.jsonl")
            if one.auc is not None and codes.get(one.system) == one.code}  # fmt: skip


def measure(folder: Path, runs: Sequence[Run], *, patience: float = 120.0) -> list[Measured]:
    """Return the results of searches; those that are not in the folder's record are run, in turn."""
    done = known(folder, runs)
    for number, run in enumerate(runs, start=1):
        missing = run.data.missing or run.system.missing
        if missing or run.key in done:
            continue
        done[run.key] = measure_one(folder, run, patience=patience)
        append(folder / "measured.jsonl", done[run.key])
        _show(done[run.key], f"{number}/{len(runs)}")
    return [done[run.key] for run in runs if run.key in done]


def measure_one(folder: Path, run: Run, *, patience: float) -> Measured:
    """Run one search in a process of its own and return its result."""
    rows_folder = folder / "rows" / f"{run.data.name}-{run.seed}"
    rows = rows_of(run.data, run.seed, rows_folder)
    empty = Path(tempfile.mkdtemp(prefix="search-"))
    task = Task(rows, tuple(run.data.settings_of(run.seed, rows_folder)), run.seconds, run.seed, empty / "workspace")
    command = run.system.command(task)
    busy = wait_until_quiet(patience)
    before, own_before, start = busy_seconds(), _own_seconds(), time.perf_counter()
    printed, failure = _output(command, empty, _variables(run.system))
    wall = time.perf_counter() - start
    cpu = _own_seconds() - own_before
    others = (busy_seconds() - before - cpu) / wall
    try:
        result = run.system.read(printed, task) if failure is None else Result(float("nan"), {"failure": failure})
    except (ValueError, KeyError, IndexError) as error:
        result = Result(float("nan"), {"failure": f"{type(error).__name__}: {error}; printed {printed[-500:]}"})
    shutil.rmtree(empty, ignore_errors=True)
    auc = None if result.auc != result.auc else result.auc
    return Measured(
        *run.key,
        code=run.system.code(),
        auc=auc,
        wall=round(wall, 2),
        cpu=round(cpu, 2),
        busy_before=round(busy, 2),
        others=round(max(others, 0.0), 2),
        shared=rows.tested / rows.development,
        part=rows.part,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        details=result.details,
    )


def _own_seconds() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _variables(system: System) -> dict[str, str]:
    """Return the environment variables of a search: only Thinfile finds this clone."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return variables | ({"PYTHONPATH": str(ROOT)} if system.name in OURS else {})


def _output(command: Sequence[str], folder: Path, variables: dict[str, str]) -> tuple[str, str | None]:
    """Return what a command prints, and the end of its error output where it failed."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, cwd=folder, start_new_session=True, env=variables
    )
    try:
        printed, errors = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "", f"ended after {LONGEST:.0f} s"
    return printed, None if process.returncode == 0 else f"exit code {process.returncode}: {errors[-2000:]}"


def _show(one: Measured, place: str) -> None:
    auc = "failed" if one.auc is None else f"{one.auc:.5f}"
    words = f"{place} {one.data} seed {one.seed}, {one.seconds} s: {one.system} {auc} after {one.wall:.1f} s"
    busy = max(one.busy_before, one.others)
    print(words + (f"; others used {busy:.1f} cores" if busy > QUIET else ""), file=sys.stderr, flush=True)
