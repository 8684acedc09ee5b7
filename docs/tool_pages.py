"""Pictures of a workspace in the tools that open it: MLflow, optuna-dashboard, Evidently, and Thinfile's home page."""

import os
import shutil
import signal
import socket
import sqlite3
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
from tests.chromium import RenderedPage, open_page

PATIENCE = 120.0
"""Seconds to wait for a tool to answer."""

WIDE, PHONE = 1280, 400
INNER_HEIGHT = {"mlflow-run": 1300, "mlflow-version": 1000}
"""Pixels; MLflow's pages scroll inside themselves."""

AS_A_USER_OF_MODELS = """(async () => {
const page = location.hash;
document.querySelector('[data-component-id="mlflow.assistant.chat_panel.close"]')?.click();
[...document.querySelectorAll('[role=button]')].find((one) => one.innerText == 'Model training')?.click();
await new Promise((resolve) => setTimeout(resolve, 1500));
if (location.hash != page) location.hash = page;
})()"""
"""Closes MLflow's assistant and chooses its pages of training runs and models, then returns to the page."""


def shoot_tools(root: Path, model: str, images: Path) -> dict[str, RenderedPage]:
    """Write six pictures of a workspace whose model has a champion and reports; return what their pages show."""
    images.mkdir(parents=True, exist_ok=True)
    workspace = Workspace.at(str(root))
    return {
        **shoot_home(workspace, images),
        **shoot_mlflow(workspace, model, images),
        **shoot_evidently(workspace, images),
        **shoot_optuna(workspace, images),
    }


def shoot_home(workspace: Workspace, images: Path) -> dict[str, RenderedPage]:
    """Write the pictures of the page of `thinfile ui`."""
    words = [sys.executable, "-m", "thinfile", "ui", f"workspace={workspace.root}"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    page = workspace.root / "index.html"
    return {
        name: open_page(page, width=width, screenshot=images / f"{name}.png")
        for name, width in (("home", WIDE), ("home-phone", PHONE))
    }


def shoot_mlflow(workspace: Workspace, model: str, images: Path) -> dict[str, RenderedPage]:
    """Write the pictures of the champion's run and of its version in MLflow."""
    from pipelines.model_store.store import ModelStore

    client = ModelStore(workspace).client
    champion = client.get_model_version_by_alias(model, "champion")
    run = client.get_run(champion.run_id).info
    pages = {
        "mlflow-run": f"experiments/{run.experiment_id}/runs/{run.run_id}",
        "mlflow-version": f"models/{model}/versions/{champion.version}",
    }
    words = ["-m", "mlflow", "ui", "--workers", "1", "--backend-store-uri", sqlite_url(workspace.mlflow)]
    with served([sys.executable, *words], "/health") as address:
        return {
            name: open_page(
                f"{address}/#/{page}",
                width=WIDE,
                height=INNER_HEIGHT[name],
                script=AS_A_USER_OF_MODELS,
                screenshot=images / f"{name}.png",
            )
            for name, page in pages.items()
        }


def shoot_evidently(workspace: Workspace, images: Path) -> dict[str, RenderedPage]:
    """Write the picture of the dashboard of the first project in the Evidently workspace."""
    evidently = Path(sys.executable).with_name("evidently")
    with served([str(evidently), "ui", "--workspace", str(workspace.evidently)], "/api/projects") as address:
        project = min(one.name for one in workspace.evidently.iterdir() if one.is_dir())
        page = f"{address}/projects/{project}"
        return {"evidently": open_page(page, width=WIDE, screenshot=images / "evidently.png")}


def shoot_optuna(workspace: Workspace, images: Path) -> dict[str, RenderedPage]:
    """Write the picture of the newest study in optuna-dashboard."""
    with sqlite3.connect(workspace.studies) as database:
        ((newest,),) = database.execute("select max(study_id) from studies")
    with served([optuna_dashboard(), sqlite_url(workspace.studies)], "/dashboard/") as address:
        page = f"{address}/dashboard/studies/{newest}"
        return {"optuna": open_page(page, width=WIDE, screenshot=images / "optuna.png")}


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
