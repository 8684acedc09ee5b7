"""A private MLflow server with basic auth: on a database of its own, serving its artifacts, gone afterwards."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, PASSWORD = "anna", "pass word%20?#&"
"""A password with every character that an address would take apart."""

PATIENCE = 120.0
"""Seconds to wait for the server."""


@dataclass(frozen=True)
class MlflowServer:
    """A running server: its address, and the folder in which it keeps artifacts."""

    url: str
    artifacts: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables of its user, as a team sets them."""
        return {
            "MLFLOW_TRACKING_URI": self.url,
            "MLFLOW_TRACKING_USERNAME": USER,
            "MLFLOW_TRACKING_PASSWORD": PASSWORD,
        }


@contextmanager
def mlflow_server(folder: Path, database: str) -> Iterator[MlflowServer]:
    """Yield a server on a PostgreSQL database, once it answers; its files are below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = folder / "auth.ini"
    settings.write_text(
        "[mlflow]\ndefault_permission = MANAGE\n"
        f"database_uri = sqlite:///{folder / 'auth.db'}\nadmin_username = {USER}\n"
        "auth_cache_ttl_seconds = 60\n"
    )
    words = ["--app-name", "basic-auth", "--serve-artifacts"]
    words += ["--artifacts-destination", (folder / "artifacts").as_uri()]
    words += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = _without_mlflow(os.environ) | {
        "MLFLOW_BACKEND_STORE_URI": database.replace("postgresql:", "postgresql+psycopg:"),
        "MLFLOW_AUTH_CONFIG_PATH": str(settings),
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "a secret of this test",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *words],
            stdout=log,
            stderr=log,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process, folder / "log")
        yield MlflowServer(f"http://127.0.0.1:{port}", folder / "artifacts")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _without_mlflow(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(("MLFLOW_", "THINFILE_"))}


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
    raise AssertionError(f"the MLflow server did not come up: {log.read_text()[-3000:]}")
