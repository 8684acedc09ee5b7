"""Pictures of a workspace in the tools that it is open to: MLflow, optuna-dashboard, Evidently and Thinfile's home page."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines.storage.workspace import Workspace, sqlite_url
from tests.chromium import open_page

PATIENCE = 120.0
"""Seconds to wait for a tool to answer."""

WIDE, PHONE = 1280, 400
"""Pixels."""


def shoot_tools(root: Path, model: str, images: Path) -> None:
    """Write pictures of a workspace whose model has a champion and reports: five pages, the home page in two widths."""
    images.mkdir(parents=True, exist_ok=True)
    workspace = Workspace.at(str(root))
    shoot_home(workspace, images)
    shoot_mlflow(workspace, model, images)
    shoot_evidently(workspace, images)
    shoot_optuna(workspace, images)


def shoot_home(workspace: Workspace, images: Path) -> None:
    """Write the pictures of the page of `thinfile ui`."""
    subprocess.run([sys.executable, "-m", "thinfile", "ui", f"workspace={workspace.root}"], check=True, stdout=sys.stderr)
    for name, width in (("home", WIDE), ("home-phone", PHONE)):
        open_page(workspace.root / "index.html", width=width, screenshot=images / f"{name}.png")


def shoot_mlflow(workspace: Workspace, model: str, images: Path) -> None:
    """Write the pictures of the champion's run and of its version in MLflow."""
    from pipelines.model_store.store import ModelStore

    champion = ModelStore(workspace).client.get_model_version_by_alias(model, "champion")
    run = ModelStore(workspace).client.get_run(champion.run_id).info
    words = ["-m", "mlflow", "ui", "--workers", "1", "--backend-store-uri", sqlite_url(workspace.mlflow)]
    with served([sys.executable, *words], "/health") as address:
        pages = {
            "mlflow-run": f"experiments/{run.experiment_id}/runs/{run.run_id}",
            "mlflow-version": f"models/{model}/versions/{champion.version}",
        }
        for name, page in pages.items():
            open_page(f"{address}/#/{page}", width=WIDE, screenshot=images / f"{name}.png")


def shoot_evidently(workspace: Workspace, images: Path) -> None:
    """Write the picture of the dashboard of the first project in the Evidently workspace."""
    evidently = Path(sys.executable).with_name("evidently")
    with served([str(evidently), "ui", "--workspace", str(workspace.evidently)], "/api/projects") as address:
        project = next(one.name for one in sorted(workspace.evidently.iterdir()) if one.is_dir())
        open_page(f"{address}/projects/{project}", width=WIDE, screenshot=images / "evidently.png")


def shoot_optuna(workspace: Workspace, images: Path) -> None:
    """Write the picture of the newest study in optuna-dashboard."""
    import optuna

    storage = sqlite_url(workspace.studies)
    newest = max(optuna.get_all_study_summaries(storage), key=lambda one: one._study_id)
    with served([optuna_dashboard(), storage], "/dashboard/") as address:
        open_page(f"{address}/dashboard/studies/{newest._study_id}", width=WIDE, screenshot=images / "optuna.png")


def optuna_dashboard() -> str:
    """Return the path of optuna-dashboard: an installed one, or one in an environment that is made for it."""
    installed = shutil.which("optuna-dashboard")
    if installed:
        return installed
    folder = Path(os.environ.get("THINFILE_TOOLS", Path.home() / ".cache" / "thinfile" / "optuna-dashboard"))
    program = folder / "bin" / "optuna-dashboard"
    if not program.exists():
        venv.create(folder, with_pip=True, clear=True)
        requirements = ["optuna-dashboard>=0.21,<0.22", "optuna>=5,<6"]
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *requirements], check=True)
    return str(program)


@contextmanager
def served(command: Sequence[str], ready: str) -> Iterator[str]:
    """Yield the address of a server once a page of it answers; `--port` is added to its command."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        env=os.environ | quiet,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}{ready}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    raise SystemExit(f"{process.args} does not answer at {address}")
