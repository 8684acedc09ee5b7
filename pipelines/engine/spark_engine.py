"""The one door to Spark: whether it is there, its session, and work spread over its executors.

Executors need the libraries that Thinfile depends on, pyspark among them; Thinfile itself is shipped to them.
"""

import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, TypeVar

from pipelines.engine.shipped_packages import ship_packages
from pipelines.engine.spark_settings import SparkSettings
from pipelines.errors import ConfigurationError, ThinfileError
from pipelines.secrets.redaction import is_secret_key

if TYPE_CHECKING:
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

log = logging.getLogger(__name__)

OLDEST_JAVA = 17

SMALLEST_HEAP = 512
"""Megabytes; Spark does not start with less."""

TASKS_A_CORE = 8
"""In one wave of work: enough that cores seldom wait for its last task, few enough to tell progress by."""

JAVA_OPTIONS = "-XX:-UsePerfData -XX:TieredStopAtLevel=1"
"""No files in the system's folder, and a start in half the time: the work is Python's, not Java's, to make fast."""

MASTERS = re.compile(r"spark://[^/]+:\d+$|yarn$|k8s://.|local(-cluster)?(\[.+\])?$")
"""The addresses of masters."""

CONNECT, WAIT = 10.0, 20.0
"""Seconds in which a master must answer, and after which a user hears that no executor has begun."""

NO_EXECUTOR = (
    "no executor of %s has begun to work; is a worker free, and has it the cores and the memory that spark.conf sets?"
)

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
def session(
    threads: int, memory: str, scratch: Path, settings: SparkSettings | None = None
) -> Iterator["SparkSession"]:
    """Yield a Spark that is gone, with its Java, when the block ends; its executors have Thinfile's packages.

    By default it is on this machine and writes below `scratch` alone. `memory` bounds the Java of this process, in
    DuckDB's spelling ("4GB"); each of the `threads` has a Python process of its own beside it. The executors of a
    cluster, which `settings` name, work with Spark's own settings and must see `scratch` under the same path. Below
    spark-submit the master and the memory are those it was given. A session that is already there is used as it is and
    left running.

    Raises:
        ConfigurationError: no pyspark, no Java, memory in another spelling, an invalid address of a master, or a name
            that is not one of Spark's.
        ThinfileError: Spark does not start, its master does not answer, or its executors cannot work.
    """
    check_spark()
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

    settings = settings or SparkSettings()
    running = SparkSession.getActiveSession()
    if running is not None:
        ship_packages(running.sparkContext, scratch)
        yield running
        return
    properties = _configuration(threads, memory, scratch, settings)
    _check_master(properties.get("spark.master", ""))
    shown = {name: value for name, value in properties.items() if not is_secret_key(f"spark.conf.{name}")}
    with _java(SparkConf(loadDefaults=False).setAll(list(shown.items())), scratch / "spark.log"):
        spark = _started(properties, settings)
        try:
            ship_packages(spark.sparkContext, scratch)
            if not str(spark.sparkContext.master).startswith("local"):
                _check_executors(spark, scratch)
            yield spark
        finally:
            spark.stop()


def _started(properties: Mapping[str, str], settings: SparkSettings) -> "SparkSession":
    """Return the session of the Java that runs. Raises ThinfileError where it does not start with these settings."""
    from pyspark.sql import SparkSession

    try:
        with silent_on_pandas():
            spark = SparkSession.builder.config(map=dict(properties)).getOrCreate()
    except Exception as error:  # py4j has errors of its own for what Java raises
        raise ThinfileError(
            f"Spark did not start ({_reason(error)}); correct spark.master={settings.master} or spark.conf, or use the "
            "embedded engine"
        ) from None  # the text of py4j's error is gone with its Java
    # pyspark would take the first python3 on the PATH; spark-submit has put its own setting into the variable.
    interpreter = properties.get("spark.pyspark.python") or os.environ.get("PYSPARK_PYTHON")
    spark.sparkContext.pythonExec = interpreter or sys.executable
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _check_master(master: str) -> None:
    """Raise for an address of no kind of master, and for a standalone master that does not answer.

    Spark would end with traces of Java, and try to reach the master for a minute.
    """
    if master and not MASTERS.match(master):
        raise ConfigurationError(
            f"spark.master is '{master}', which is no address of a master; write spark://HOST:7077, yarn, "
            "k8s://https://HOST:PORT or local[THREADS]"
        )
    hosts = re.findall(r"([^,/\s]+):(\d+)", master) if master.startswith("spark://") else []
    reasons = []
    for host, port in hosts:
        try:
            socket.create_connection((host, int(port)), timeout=CONNECT).close()
        except OSError as error:
            reasons.append(error.strerror or str(error))
        else:
            return
    if hosts:
        raise ThinfileError(f"spark.master is '{master}', which does not answer ({reasons[0]}); start it or correct it")


def _check_executors(spark: "SparkSession", scratch: Path) -> None:
    """Raise ThinfileError where executors of a cluster do not see the workspace; log a warning while none starts."""
    waiting = Timer(WAIT, log.warning, [NO_EXECUTOR, spark.sparkContext.master])
    waiting.daemon = True
    waiting.start()
    try:
        tasks = max(spark.sparkContext.defaultParallelism, 1)
        checks = list(map_on_spark(spark, _cannot_use, [scratch] * tasks))
    finally:
        waiting.cancel()
    hosts = sorted(set(filter(None, checks)))
    if hosts:
        raise ThinfileError(
            f"Spark's executors on {', '.join(hosts)} cannot read and write '{scratch.parent}'; mount the workspace "
            "there under the same path and run them as the account that owns it"
        )


def _cannot_use(folder: Path) -> str:
    """Return the name of this host where a folder cannot be used, nothing where it can."""
    return "" if os.access(folder, os.R_OK | os.W_OK | os.X_OK) else socket.gethostname()


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
    context, start = spark.sparkContext, 0
    while start < len(items):
        some = items[start : start + TASKS_A_CORE * context.defaultParallelism]  # executors may join as it works
        try:
            results = context.parallelize(some, len(some)).map(partial(_attempt, task)).collect()
        except Exception as error:  # py4j has errors of its own for what Java raises
            raise ThinfileError(
                f"Spark's executors cannot do the work ({_reason(error)}); install the libraries of Thinfile in the "
                "Python that they run, which spark.conf.spark.pyspark.python names, and run the same command again"
            ) from None
        for result in results:
            if isinstance(result, Exception):
                raise result
            yield result
        start += len(some)


def _attempt(task: Callable[[Item], Result], item: Item) -> Result | Exception:
    """Return an error instead of raising it: Spark would try again in vain, and wrap it in traces of its own."""
    try:
        return task(item)
    except Exception as error:
        return error


def _configuration(threads: int, memory: str, scratch: Path, settings: SparkSettings) -> dict[str, str]:
    """Return Spark's settings: ours, those of where it runs, and the user's, of which the last one decides."""
    ours = {
        "spark.app.name": "thinfile",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.executorEnv.PYTHONSAFEPATH": "1",  # a package of the folder in which an executor works is none of ours
    }
    if settings.master is not None:
        ours["spark.master"] = settings.master
    if not _is_submitted():
        ours |= _of_own_java(memory, scratch)
        if settings.master is None:
            ours["spark.master"] = f"local[{threads}]"
        if ours["spark.master"].startswith("local"):
            ours |= {"spark.driver.host": "localhost", "spark.driver.bindAddress": "127.0.0.1"}
    return ours | settings.properties()


def _of_own_java(memory: str, scratch: Path) -> dict[str, str]:
    return {
        "spark.driver.memory": f"{_megabytes(memory)}m",
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


def _reason(error: Exception) -> str:
    """Return the line of an error of Java that names its cause: the last one of Python's trace, or else its first."""
    message = str(getattr(error, "java_exception", "") or error)
    causes = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|Mismatch)\b.*", message, re.MULTILINE)
    lines = [line.strip() for line in (causes or message.splitlines()) if line.strip()]
    return (lines[-1] if causes else lines[0]) if lines else type(error).__name__


def _last_lines(log: Path) -> str:
    """Return the last lines of a log that are not places in Java's code."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith("at ")]
    return " / ".join(lines[-3:]) or "it printed nothing"
