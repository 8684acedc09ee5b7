"""Spark, DuckDB, the kernel alone and the oracle give the same features; the verb gives the same table on Spark."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from operator import neg
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from pipelines.book import prepare as preparing
from pipelines.credit.loan import BadDefinition, LoanContract
from pipelines.engine import spark_engine
from pipelines.engine.spark_engine import TASKS_A_CORE, check_spark, map_on_spark, session
from pipelines.engine.spark_features import compute_features_on_spark
from pipelines.errors import ConfigurationError, DataError, ThinfileError
from pipelines.features.kernel import compute_features
from pipelines.marketplace.settings import Engine, PrepareSettings, RawSettings
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate
from tests.conftest import Answer
from tests.pipelines.engine.ways import (
    MEMORY,
    Case,
    assert_three_ways_agree,
    by_application,
    clean_tables,
    history_for,
    lay_in_buckets,
)
from tests.pipelines.features.marketplaces import SETTINGS
from tests.real_parts import needs_spark
from thinfile import main

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    with session(2, MEMORY, tmp_path_factory.mktemp("scratch")) as running:
        yield running


@needs_spark
@pytest.mark.parametrize(
    "case",
    [Case(31, partitions=4), Case(32, partitions=1, lag_days=7), Case(33, partitions=300, text=True)],
    ids=["whole-number ids", "one part and a lag", "text ids, parts without a row"],
)
def test_spark_duckdb_the_kernel_and_the_oracle_agree(case: Case, spark: "SparkSession", tmp_path: Path) -> None:
    assert_three_ways_agree(case, spark, tmp_path)


@needs_spark
def test_times_that_are_moments_are_read_as_utc_wherever_the_session_is(spark: "SparkSession", tmp_path: Path) -> None:
    history = history_for(Case(34, partitions=2))
    lay_in_buckets(history, tmp_path)
    tables = clean_tables(spark, tmp_path)
    moments = {
        name: table.selectExpr(*(_as_moment(*column) for column in table.dtypes)) for name, table in tables.items()
    }
    spark.conf.set("spark.sql.session.timeZone", "Asia/Kolkata")
    try:
        found = compute_features_on_spark(moments, SETTINGS, lag_days=0, partitions=2).toArrow()
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert repr(by_application(found)) == repr(by_application(compute_features(history, SETTINGS, lag_days=0)))


def _as_moment(name: str, kind: str) -> str:
    return f"cast({name} as timestamp) as {name}" if kind == "timestamp_ntz" else name


@needs_spark
def test_identifiers_of_two_types_are_refused(spark: "SparkSession") -> None:
    tables = {name: spark.createDataFrame(table) for name, table in vars(history_for(Case(1, 1))).items()}
    tables["orders"] = tables["orders"].selectExpr("cast(customer_id as string) as customer_id", "ordered_at", "amount")
    with pytest.raises(DataError, match=r"customer_id must have one type .* bigint in customers, string in orders"):
        compute_features_on_spark(tables, SETTINGS, lag_days=0, partitions=1)


@needs_spark
def test_work_is_spread_in_order_and_its_own_error_comes_back(spark: "SparkSession") -> None:
    items = range(2 * TASKS_A_CORE + 3)
    assert list(map_on_spark(spark, neg, items)) == [-item for item in items]
    assert list(map_on_spark(spark, neg, [])) == []
    with pytest.raises(ConfigurationError, match="memory must be a size, received 'much'"):
        list(map_on_spark(spark, spark_engine._megabytes, ["1GB", "much"]))


BESIDE_OTHERS = """
import sys
from pathlib import Path
import thinfile

thinfile.use_own_packages()
from pipelines.engine.spark_engine import _megabytes, map_on_spark, session

with session(1, "1GB", Path(sys.argv[1])) as spark:
    print(list(map_on_spark(spark, _megabytes, ["1GB"])))
"""


@needs_spark
def test_executors_import_our_packages_beside_others_of_the_same_names(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "__init__.py").write_text('raise SystemExit("a package of the user was imported")\n')
    (tmp_path / "scratch").mkdir()
    words = [sys.executable, "-c", BESIDE_OTHERS, str(tmp_path / "scratch")]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[953]\n"), done.stderr


@needs_spark
def test_a_session_that_is_there_is_used_and_left_running(spark: "SparkSession", tmp_path: Path) -> None:
    with session(1, MEMORY, tmp_path) as same:
        assert same is spark
    assert list(map_on_spark(spark, neg, [1])) == [-1]
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small simulated marketplace."""
    workspace = tmp_path_factory.mktemp("simulated")
    simulate(SimulateSettings(workspace=str(workspace), customers=300, months=24, threads=1))
    return workspace / "lake" / "simulated"


def asked(engine: Engine, raw: Path, workspace: Path) -> PrepareSettings:
    return PrepareSettings(
        workspace=str(workspace),
        raw=RawSettings(folder=str(raw), time_zone="UTC"),
        loan=LoanContract(BadDefinition(30, 3), "2024-01-01"),
        features=SETTINGS,
        engine=engine,
        threads=1,
        memory=MEMORY,
    )


@needs_spark
def test_prepare_gives_the_same_files_on_spark_and_goes_on_where_it_stopped(
    spark: "SparkSession", raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "BYTES_A_BUCKET", 30_000)
    duckdb, lake = (tmp_path / engine.value / "lake" / "marketplace" for engine in (Engine.duckdb, Engine.spark))
    for engine in Engine:
        preparing.prepare(asked(engine, raw, tmp_path / engine.value))
    made = files(lake)
    assert made == files(duckdb)
    buckets = sorted(path for path in made if "/mature/" in path)
    assert len(buckets) > 3
    kept, lost = lake / buckets[0], lake / buckets[2]
    made_at = kept.stat().st_mtime_ns
    for path in (lost, lake / "manifest.json"):
        path.unlink()
    preparing.prepare(asked(Engine.spark, raw, tmp_path / "spark"))
    assert files(lake) == made
    assert kept.stat().st_mtime_ns == made_at


def files(lake: Path) -> dict[str, bytes]:
    """Return the bytes of all that is made of clean tables."""
    found = [lake / "vintages.parquet", *(lake / "prepared").rglob("*.parquet")]
    return {str(path.relative_to(lake)): path.read_bytes() for path in found}


@needs_spark
def test_the_command_writes_into_the_workspace_alone_and_says_one_thing(
    thinfile: Callable[..., Answer], raw: Path, tmp_path: Path
) -> None:
    before = set(tmp_path.iterdir())
    words = ("prepare", f"raw.folder={raw}", "loan=dpd30_at_3_mob", "loan.as_of=2024-01-01", "features=short")
    answer = thinfile(*words, "engine=spark", "output=json", "workspace=my lake", f"memory={MEMORY}")
    assert answer.exit_code == 0, answer.stderr
    assert len(pq.read_table(answer.json["training"])) == answer.json["statuses"]["mature"]
    assert not [line for line in answer.stderr.splitlines() if re.search("warn|spark|java|hadoop", line, re.IGNORECASE)]
    assert set(tmp_path.iterdir()) - before == {tmp_path / "my lake"}
    assert not list((tmp_path / "my lake").rglob(".scratch*"))


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_engine, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"found none; pip install 'thinfile\[spark\]' or use engine=duckdb"):
        check_spark()


@pytest.mark.parametrize(("version", "told"), [(None, "none"), ("11.0.2", "Java 11"), ("1.8.0_292", "Java 1")])
def test_a_missing_or_older_java_is_told(
    version: str | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspark")
    home_with_java(tmp_path, monkeypatch, f'echo "openjdk version \\"{version}\\"" >&2' if version else None)
    with pytest.raises(ConfigurationError, match=f"needs Java 17 or later .* found {told}; install Java 17"):
        check_spark()


def test_the_verb_refuses_before_it_reads_anything(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyspark")
    home_with_java(tmp_path, monkeypatch, None)
    words = ["prepare", f"raw.folder={raw}", "loan.as_of=2024-01-01", "engine=spark", f"workspace={tmp_path / 'w'}"]
    assert main(words) == 2
    assert "install Java 17" in capsys.readouterr().err
    assert not (tmp_path / "w").exists()


@needs_spark
def test_a_java_that_does_not_start_is_told_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    def end(conf: Any, streams: dict[str, Any]) -> None:
        streams["stderr"].write(b"no room on this machine\n")
        streams["stderr"].flush()
        raise PySparkRuntimeError(errorClass="JAVA_GATEWAY_EXITED", messageParameters={})

    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    monkeypatch.setattr("pyspark.java_gateway.launch_gateway", end)
    with (
        pytest.raises(ThinfileError, match=r"Java ended \(no room on this machine\); correct that"),
        session(1, MEMORY, tmp_path),
    ):
        pass


def home_with_java(home: Path, monkeypatch: pytest.MonkeyPatch, script: str | None) -> None:
    """Let JAVA_HOME hold a Java that runs a shell script, or none."""
    (home / "bin").mkdir()
    if script is not None:
        java = home / "bin" / "java"
        java.write_text(f"#!/bin/sh\n{script}\n")
        java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(home))
