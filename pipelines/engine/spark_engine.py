"""The one door to Spark: whether it is there, its session, and work spread over its executors.

Thinfile must be installed where the executors run, in the same version.
"""

import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipelines.command.own_packages import variables_for_children
from pipelines.errors import ConfigurationError, ThinfileError

if TYPE_CHECKING:
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

OLDEST_JAVA = 17

SMALLEST_HEAP = 512
"""Megabytes; Spark does not start with less."""

TASKS_A_CORE = 8
"""In one wave of work: enough that cores seldom wait for its last task, few enough to tell progress by."""

JAVA_OPTIONS = "-XX:-UsePerfData -XX:TieredStopAtLevel=1"
"""No files in the system's folder, and a start in half the time: the work is Python's, not Java's, to make fast."""

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}

Item = TypeVar("Item")
Result = TypeVar("Result")


def check_spark() -> None:
    """Raise ConfigurationError where there is no pyspark, or no Java that is young enough for it."""
    if find_spec("pyspark") is None:
        raise ConfigurationError(
            "engine=spark needs the package pyspark, found none; pip install 'thinfile[spark]' or use engine=duckdb"
        )
    version = _java_version()
    if version is None or version < OLDEST_JAVA:
        installed = "none" if version is None else f"Java {version}"
        raise ConfigurationError(
            f"engine=spark needs Java {OLDEST_JAVA} or later in JAVA_HOME or on the PATH, found {installed}; "
            f"install Java {OLDEST_JAVA} (Debian: openjdk-17-jre-headless) or use engine=duckdb"
        )


@contextmanager
def session(threads: int, memory: str, scratch: Path) -> Iterator["SparkSession"]:
    """Yield a Spark on this machine that writes below `scratch` alone; it and its Java are gone when the block ends.

    `memory` bounds Java, in DuckDB's spelling ("4GB"); each of the `threads` has a Python process of its own beside it.
    Below spark-submit the master and the memory are those it was given. A session that is already there is used as it
    is and left running.

    Raises:
        ConfigurationError: no pyspark, no Java, or memory in another spelling.
        ThinfileError: Spark does not start.
    """
    check_spark()
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is not None:
        yield running
        return
    conf = SparkConf().setAll(list(_configuration(threads, memory, scratch).items()))
    with _java(conf, scratch / "spark.log"):
        with silent_on_pandas():
            spark = SparkSession.builder.getOrCreate()
        spark.sparkContext.pythonExec = sys.executable  # it would take the first python3 on the PATH
        spark.sparkContext.setLogLevel("ERROR")
        try:
            yield spark
        finally:
            spark.stop()


@contextmanager
def silent_on_pandas() -> Iterator[None]:
    """Keep pyspark from warning that it does not know pandas 3 yet: nothing of ours passes through pandas there."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


def map_on_spark(
    spark: "SparkSession", task: Callable[[Item], Result], items: Sequence[Item]
) -> Generator[Result, None, None]:
    """Yield the result of a task for each item, in order; a task that raises ends the work with its own error."""
    context = spark.sparkContext
    wave = TASKS_A_CORE * context.defaultParallelism
    for start in range(0, len(items), wave):
        some = items[start : start + wave]
        for result in context.parallelize(some, len(some)).map(partial(_attempt, task)).collect():
            if isinstance(result, Exception):
                raise result
            yield result


def _attempt(task: Callable[[Item], Result], item: Item) -> Result | Exception:
    """Return an error instead of raising it: Spark would try again in vain, and wrap it in traces of its own."""
    try:
        return task(item)
    except Exception as error:
        return error


def _configuration(threads: int, memory: str, scratch: Path) -> dict[str, str]:
    settings = {
        "spark.app.name": "thinfile",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        **{f"spark.executorEnv.{name}": value for name, value in variables_for_children().items()},
    }
    if _is_submitted():
        return settings
    return settings | {
        "spark.master": f"local[{threads}]",
        "spark.driver.memory": f"{_megabytes(memory)}m",
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": f'-Djava.io.tmpdir="{scratch}" {JAVA_OPTIONS}',
        "spark.local.dir": str(scratch / "shuffled"),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
    }


def _is_submitted() -> bool:
    """Return whether spark-submit started this process, and Java before it."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _megabytes(memory: str) -> int:
    """Return the memory that Java is given.

    >>> _megabytes("3GB"), _megabytes("1.5 GiB"), _megabytes("100MB")
    (2861, 1536, 512)
    """
    written = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(|[KMGT]I?)B?", memory.strip().upper())
    if written is None:
        raise ConfigurationError(f"memory must be a size, received '{memory}'; use for example 4GB")
    return max(int(float(written[1]) * UNITS[written[2]] / 2**20), SMALLEST_HEAP)


def _java_version() -> int | None:
    """Return the major version of the Java that Spark would start, None where there is none."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if program is None:
        return None
    output = subprocess.run([program, "-version"], check=False, capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', output)
    return int(version[1]) if version else None


@contextmanager
def _java(conf: "SparkConf", log: Path) -> Iterator[None]:
    """Run Spark's Java while the block lasts. What it prints, and its workers, goes to `log`, not between our lines.

    pyspark alone would keep it to the end of the process, with the memory and the folders of its first session.
    """
    from pyspark import SparkContext
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway

    with log.open("wb") as output:
        try:
            gateway = launch_gateway(conf, {"stdout": output, "stderr": output})  # type: ignore[no-untyped-call]
        except PySparkRuntimeError as error:
            raise ThinfileError(
                f"Spark did not start: Java ended ({_last_lines(log)}); correct that or use engine=duckdb"
            ) from error
    SparkContext._gateway, SparkContext._jvm = gateway, gateway.jvm
    try:
        yield
    finally:
        SparkContext._gateway = SparkContext._jvm = None
        gateway.shutdown()
        if gateway.proc is not None:
            gateway.proc.stdin.close()  # Java ends when it is no longer listened to
            gateway.proc.wait()


def _last_lines(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "it printed nothing"
