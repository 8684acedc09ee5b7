"""A private standalone cluster of Spark: a master and a worker, whose executors have libraries and no Thinfile."""

import os
import re
import signal
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pipelines.engine.spark_settings import SparkSettings

PATIENCE = 120.0
"""Seconds to wait for a process to be ready."""


@dataclass(frozen=True)
class SparkCluster:
    """A running cluster: its master's address, its worker's process and folder, and the Python of its executors."""

    master: str
    worker: int
    work: Path
    python: Path

    @property
    def settings(self) -> SparkSettings:
        """The settings that use it."""
        properties = {
            "spark.pyspark.python": str(self.python),
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.executor.memory": "512m",
        }
        return SparkSettings(self.master, properties)


def spark_home() -> Path:
    """Return the folder of Spark, which pyspark brings."""
    found = find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


@contextmanager
def spark_cluster(folder: Path) -> Iterator[SparkCluster]:
    """Yield a cluster whose processes know nothing of this one: no PYTHONPATH, another folder, another Python."""
    python = _python_with_libraries(folder / "python")
    with ExitStack() as stack:
        words = ["master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
        _, started = stack.enter_context(_process(folder / "master", words, r"Starting Spark master at (\S+)"))
        words = ["worker.Worker", started[1], "--host", "127.0.0.1", "--webui-port", "0", "--cores", "2"]
        words += ["--memory", "1g", "--work-dir", str(folder / "work")]
        process, _ = stack.enter_context(_process(folder / "worker", words, "Successfully registered with master"))
        yield SparkCluster(started[1], process.pid, folder / "work", python)


@contextmanager
def _process(folder: Path, words: list[str], ready: str) -> Iterator[tuple["subprocess.Popen[bytes]", re.Match[str]]]:
    """Yield a process of Spark in a folder of its own, and the line with which it says that it is ready."""
    folder.mkdir(parents=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SPARK", "PYSPARK"))}
    environment = kept | {"SPARK_HOME": str(spark_home()), "SPARK_LOCAL_DIRS": str(folder), "SPARK_NO_DAEMONIZE": "1"}
    command = [spark_home() / "bin" / "spark-class", f"org.apache.spark.deploy.{words[0]}", *words[1:]]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder, start_new_session=True)
    try:
        yield process, _wait_for(ready, process, folder / "log")
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # a worker ends its executors
        process.wait(PATIENCE)


def _wait_for(ready: str, process: "subprocess.Popen[bytes]", log: Path) -> re.Match[str]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(ready, log.read_text(errors="replace")):
            return found
        time.sleep(0.2)
    raise AssertionError(f"Spark did not come up: {log.read_text(errors='replace')[-3000:]}")


def _python_with_libraries(folder: Path) -> Path:
    """Return a Python with the libraries of this one but not Thinfile, which files of its folder name."""
    venv.create(folder, symlinks=True)
    libraries = spark_home().parent
    next(folder.glob("lib/python*/site-packages")).joinpath("libraries.pth").write_text(f"{libraries}\n")
    return folder / "bin" / "python"
