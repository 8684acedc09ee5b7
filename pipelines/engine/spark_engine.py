"""The one door to Spark: its session, the features of Spark tables, and work spread over executors.

Features have one definition, the kernel; Spark brings the rows of a customer together and calls it. Thinfile must be
installed where the executors run, and in the same version.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from pipelines.errors import ConfigurationError, DataError, ThinfileError
from pipelines.features.history import History
from pipelines.features.kernel import compute_features
from pipelines.features.settings import FeatureSettings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

OLDEST_JAVA = 17

PART = "part"
"""The column by which the rows of a customer come together."""

IDENTIFIERS = {
    "customer_id": ("customers", "orders", "applications"),
    "application_id": ("applications", "instalments"),
}
"""Where each is looked up by value."""

TASKS_A_CORE = 8
"""In one wave of work: enough that cores seldom wait for its last task, few enough to tell progress by."""

SMALLEST_HEAP = 512
"""Megabytes; Spark does not start with less."""

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}

Item = TypeVar("Item")
Result = TypeVar("Result")


def check_spark() -> None:
    """Raise ConfigurationError where there is no pyspark, or no Java that is young enough for it."""
    if find_spec("pyspark") is None:
        raise ConfigurationError(
            "engine=spark needs the package pyspark, found none; pip install 'thinfile[spark]' or use engine=duckdb"
        )
    found = _java_version()
    if found is None or found < OLDEST_JAVA:
        told = "none" if found is None else f"Java {found}"
        raise ConfigurationError(
            f"engine=spark needs Java {OLDEST_JAVA} or later on the PATH or in JAVA_HOME, found {told}; "
            f"install Java {OLDEST_JAVA} (Debian: openjdk-17-jre-headless) or use engine=duckdb"
        )


@contextmanager
def session(threads: int, memory: str, scratch: Path) -> Iterator["SparkSession"]:
    """Yield a Spark on this machine that writes below `scratch` alone, and stop it and its Java when the block ends.

    `memory` bounds Java, as DuckDB spells it ("4GB"); each of the `threads` has a Python process of its own beside it.
    Below spark-submit, master and memory are the ones it was given. A session that is already there is used as it is
    and left running.

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
        spark = SparkSession.builder.getOrCreate()
        spark.sparkContext.pythonExec = sys.executable  # else the first python3 of the PATH
        spark.sparkContext.setLogLevel("ERROR")
        try:
            yield spark
        finally:
            spark.stop()


def compute_features_on_spark(
    tables: Mapping[str, "DataFrame"], settings: FeatureSettings, *, lag_days: int, partitions: int
) -> "DataFrame":
    """Return what `compute_features` does for the four clean tables as Spark's own, one row an application, unordered.

    Customers are dealt into so many `partitions`; a worker holds one at a time, so there should be one for every
    million orders or so. Orders are shuffled as they are and the other tables beside them, each as one column. Times
    are TIMESTAMP_NTZ in UTC, as Spark reads clean Parquet, or TIMESTAMP. The kernel's errors come with the first
    action.

    Raises:
        DataError: an identifier has different types in two tables.
    """
    _check_identifiers(tables)
    owners = tables["applications"].select("application_id", "customer_id")
    owned = {**tables, "instalments": tables["instalments"].join(owners, "application_id")}
    dealt = {name: _dealt(name, table, partitions) for name, table in owned.items()}
    others = dealt["customers"]
    for name in ("applications", "instalments"):
        others = others.unionByName(dealt[name], allowMissingColumns=True)

    def features_of_part(left: pa.Table, right: pa.Table) -> pa.Table:
        pa.set_cpu_count(1)  # executors are the parallelism
        return compute_features(_history(left, right), settings, lag_days=lag_days)

    nothing = History(**{name: table.limit(0).toArrow() for name, table in tables.items()})
    told = compute_features(nothing, settings, lag_days=lag_days)
    schema = others.sparkSession.createDataFrame(told).schema
    return dealt["orders"].groupBy(PART).cogroup(others.groupBy(PART)).applyInArrow(features_of_part, schema)


def map_on_spark(spark: "SparkSession", task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield the result of a task for each item, in order; a task that raises ends the work with its own error."""
    context = spark.sparkContext
    wave = TASKS_A_CORE * context.defaultParallelism
    for start in range(0, len(items), wave):
        some = items[start : start + wave]
        for result, error in context.parallelize(some, len(some)).map(partial(_attempt, task)).collect():
            if error is not None:
                raise error
            yield result


def _attempt(task: Callable[[Item], Result], item: Item) -> tuple[Result | None, Exception | None]:
    """Return an error instead of raising it: Spark would try again in vain, and bury it in a trace of its own."""
    try:
        return task(item), None
    except Exception as error:
        return None, error


def _dealt(name: str, table: "DataFrame", partitions: int) -> "DataFrame":
    """Return a table as one column of its name, beside the part that each row's customer belongs to."""
    from pyspark.sql import functions

    part = functions.pmod(functions.hash("customer_id"), functions.lit(partitions))
    return table.select(part.alias(PART), functions.struct(*table.columns).alias(name))


def _history(*sides: pa.Table) -> History:
    """Return the tables that lie as columns in either side; where one has a row, the others of its side are empty."""
    columns = {name: side[name] for side in sides for name in side.column_names if name != PART}
    return History(**{name: pa.Table.from_struct_array(rows.drop_null()) for name, rows in columns.items()})


def _check_identifiers(tables: Mapping[str, "DataFrame"]) -> None:
    for column, names in IDENTIFIERS.items():
        types = {name: tables[name].schema[column].dataType.simpleString() for name in names}
        if len(set(types.values())) > 1:
            told = ", ".join(f"{kind} in {name}" for name, kind in types.items())
            raise DataError(f"{column} must have one type in all tables, received {told}; cast it to one of them")


def _configuration(threads: int, memory: str, scratch: Path) -> dict[str, str]:
    settings = {
        "spark.app.name": "thinfile",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    if "PYSPARK_GATEWAY_PORT" in os.environ:  # below spark-submit
        return settings
    return settings | {
        "spark.master": f"local[{threads}]",
        "spark.driver.memory": f"{_megabytes(memory)}m",
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(scratch / "shuffled"),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.driver.extraJavaOptions": f'-Djava.io.tmpdir="{scratch}" -XX:-UsePerfData',
    }


def _megabytes(memory: str) -> int:
    """Return the size of Java's memory.

    >>> _megabytes("3GB"), _megabytes("1.5 GiB"), _megabytes("100MB")
    (2861, 1536, 512)
    """
    written = re.fullmatch(r"([0-9.]+)\s*([KMGT]?I?)B?", memory.strip().upper())
    try:
        assert written is not None
        size = float(written[1]) * UNITS[written[2]]
    except (AssertionError, KeyError, ValueError) as error:
        raise ConfigurationError(f"memory must be a size, received '{memory}'; use for example 4GB") from error
    return max(int(size / 2**20), SMALLEST_HEAP)


def _java_version() -> int | None:
    """Return the major version of the Java that Spark would start; None where there is none."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if program is None:
        return None
    told = subprocess.run([program, "-version"], check=False, capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', told)
    return int(version[1]) if version else None


@contextmanager
def _java(conf: Any, log: Path) -> Iterator[None]:
    """Run Spark's Java while the block lasts; what it and its workers print goes to `log`, not between our lines.

    pyspark would keep it until the end of the process, with memory and folders that belong to this session.
    """
    from pyspark import SparkContext
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway

    with log.open("wb") as output:
        try:
            gateway = launch_gateway(conf, {"stdout": output, "stderr": output})
        except PySparkRuntimeError as error:
            said = log.read_text(errors="replace").strip().splitlines() or ["nothing"]
            raise ThinfileError(f"Spark must start, Java ended and said: {said[-1]}; mend it or use engine=duckdb") from error
        ...
