"""How fast one application is answered over HTTP, here and by `mlflow models serve`, which decides and logs nothing.

The load comes from wrk, a generator in C, over loopback; each request is another application.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd

from tests.benchmarks.checkout_model import made_up

WRK = shutil.which("wrk")
BODIES = 500
PORT = 8917
_runs = count()


@dataclass(frozen=True)
class Load:
    """What a run of the load came to; `median` and `p99` in milliseconds."""

    requests: int
    seconds: float
    median: float
    p99: float
    failed: int

    @property
    def rate(self) -> float:
        """Requests answered a second."""
        return self.requests / self.seconds


def loaded(port: int, target: str, bodies: Path, *, connections: int, seconds: int, mean_delay: float = 0) -> Load:
    """Ask for so many seconds over so many connections and return what it came to; the delay is in milliseconds."""
    script = str(Path(__file__).with_name("load.lua"))
    command = [str(WRK), "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, f"http://127.0.0.1:{port}"]
    run = f"{os.getpid()}-{next(_runs)}"
    about = {"BODIES": str(bodies), "TARGET": target, "MEAN_DELAY_MS": str(mean_delay), "RUN": run}
    told = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **about}).stdout
    return Load(**json.loads(told.splitlines()[-1]))


def write_bodies(folder: Path) -> tuple[Path, Path]:
    """Write the same applications as requests to us and to MLflow, one a line, and return both files."""
    table = made_up(BODIES, seed=5)[0]
    rows: list[dict[str, Any]] = table.astype(object).where(pd.notna(table), None).to_dict("records")
    ours, theirs = folder / "ours.txt", folder / "theirs.txt"
    ours.write_text("\n".join(json.dumps({"application_id": "@ID@", "features": row}) for row in rows))
    split = [{"dataframe_split": {"columns": list(row), "data": [list(row.values())]}} for row in rows]
    theirs.write_text("\n".join(map(json.dumps, split)))
    return ours, theirs


@contextmanager
def mlflow_serving(database: Path, version: int, workers: int, said: Path) -> Iterator[int]:
    """Yield the port at which `mlflow models serve` answers for a version of credit_score."""
    command = [
        str(Path(sys.executable).with_name("mlflow")),
        "models",
        "serve",
        "-m",
        f"models:/credit_score/{version}",
    ]
    command += ["-p", str(PORT), "--env-manager", "local", "--workers", str(workers)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    about = {"MLFLOW_TRACKING_URI": f"sqlite:///{database}", "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": path}
    with said.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **about}, start_new_session=True)
    try:
        _wait_for(f"http://127.0.0.1:{PORT}/ping", said)
        yield PORT
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _wait_for(address: str, said: Path) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(said.read_text()[-3000:])
