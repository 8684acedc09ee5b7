"""Spark, DuckDB, the kernel alone and the oracle give the same features; the verb gives the same table on Spark."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import neg
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.credit.loan import BadDefinition, LoanContract
from pipelines.engine import spark_engine
from pipelines.engine.duckdb_engine import connect
from pipelines.engine.spark_engine import TASKS_A_CORE, check_spark, map_on_spark, session
from pipelines.engine.spark_features import compute_features_on_spark
from pipelines.errors import ConfigurationError, DataError, ThinfileError
from pipelines.features.history import History
from pipelines.features.kernel import compute_features
from pipelines.marketplace import preparing
from pipelines.marketplace.buckets import CLEAN, bucket_of_customer, write_buckets
from pipelines.marketplace.prepared import read_history
from pipelines.marketplace.settings import Engine, PrepareSettings, RawSettings
from pipelines.marketplace.tables import CONTRACTS, Kind
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate
from tests.conftest import Answer
from tests.pipelines.features.marketplaces import SETTINGS, history_of, random_tables
from tests.pipelines.features.oracle import features as oracle
from thinfile import main

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CUSTOMERS, BUCKETS = 60, 3
MEMORY = "1GB"
AS_OF = "2024-07-01"


def _why_not() -> str:
    try:
        check_spark()
    except ConfigurationError as error:
        return str(error)
    return ""


needs_spark = pytest.mark.skipif(bool(_why_not()), reason=_why_not())


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    with session(2, MEMORY, tmp_path_factory.mktemp("scratch")) as running:
        yield running


@dataclass(frozen=True)
class Case:
    """A random marketplace, and how it is dealt out."""

    seed: int
    partitions: int
    lag_days: int = 0
    text: bool = False


def history_for(case: Case) -> History:
    """Return the marketplace of a case; with `text`, its identifiers are words."""
    history = history_of(random_tables(case.seed, CUSTOMERS))
    return History(**{name: _with_words(table) for name, table in vars(history).items()}) if case.text else history


def _with_words(table: pa.Table) -> pa.Table:
    identifiers = {column.name for one in CONTRACTS for column in one.columns if column.kind is Kind.identifier}
    words = {name: pa.array([word(value) for value in table[name].to_pylist()], pa.string())
             for name in table.column_names if name in identifiers}  # fmt: skip
    return pa.table({name: words.get(name, table[name]) for name in table.column_names})


def word(number: int | None) -> str | None:
    return None if number is None else f"{number:03d}-é"


def lay_in_buckets(history: History, lake: Path) -> None:
    """Write clean buckets with DuckDB, as the intake does."""
    connection = connect(2, MEMORY, lake)
    for name, table in vars(history).items():
        connection.register(f"{name}_rows", table)
    connection.execute("create table owners as select application_id, customer_id from applications_rows")
    for contract in CONTRACTS:
        owner = "join owners using (application_id)" if contract.name == "instalments" else ""
        columns = ", ".join(column.name for column in contract.columns)
        folder = lake / CLEAN / contract.name
        rows = f"{contract.name}_rows {owner}"
        write_buckets(connection, rows, columns, bucket_of_customer(BUCKETS), folder, BUCKETS)
    connection.close()


def clean_tables(spark: "SparkSession", lake: Path) -> dict[str, "DataFrame"]:
    return {one.name: spark.read.parquet(str(lake / CLEAN / one.name)) for one in CONTRACTS}


def by_application(table: pa.Table) -> dict[Any, dict[str, Any]]:
    rows = table.sort_by("application_id").to_pylist()
    assert len({row["application_id"] for row in rows}) == len(rows)
    return {row.pop("application_id"): row for row in rows}


def differences(found: Mapping[Any, Mapping[str, Any]], expected: Mapping[Any, Mapping[str, Any]]) -> list[Any]:
    """Return what is not the same: whole numbers and words exactly, others to 1e-9, or 1e-12 of the largest."""
    numbers = [(name, value) for row in expected.values() for name, value in row.items() if isinstance(value, float)]
    scale: dict[str, float] = {}
    for name, value in numbers:
        scale[name] = max(scale.get(name, 0.0), 0.0 if math.isnan(value) else abs(value))

    def same(name: str, one: Any, other: Any) -> bool:
        if isinstance(one, float) and isinstance(other, float) and not math.isnan(one):
            return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12 * scale[name])
        return repr(one) == repr(other) or one == other

    return [
        (key, name, found[key][name], value)
        for key, row in expected.items()
        for name, value in row.items()
        if not same(name, value, found[key][name])
    ]


@needs_spark
@pytest.mark.parametrize(
    "case",
    [Case(31, partitions=4), Case(32, partitions=1, lag_days=7), Case(33, partitions=300, text=True)],
    ids=["whole-number ids", "one part and a lag", "text ids, parts without a row"],
)
def test_spark_duckdb_the_kernel_and_the_oracle_agree(case: Case, spark: "SparkSession", tmp_path: Path) -> None:
    history = history_for(case)
    lay_in_buckets(history, tmp_path)
    alone = compute_features(history, SETTINGS, lag_days=case.lag_days)
    bucketed = [
        compute_features(read_history(tmp_path, bucket), SETTINGS, lag_days=case.lag_days) for bucket in range(BUCKETS)
    ]
    on_spark = compute_features_on_spark(
        clean_tables(spark, tmp_path), SETTINGS, lag_days=case.lag_days, partitions=case.partitions
    ).toArrow()
    assert on_spark.schema == alone.schema
    found = by_application(alone)
    assert len(found) > 60
    assert repr(by_application(pa.concat_tables(bucketed))) == repr(found)
    assert repr(by_application(on_spark)) == repr(found)
    told = oracle(random_tables(case.seed, CUSTOMERS), SETTINGS, case.lag_days)
    expected = {word(key) if case.text else key: row for key, row in told.items()}
    assert found.keys() == expected.keys()
    assert all(found[key].keys() == row.keys() for key, row in expected.items())
    assert differences(found, expected) == []


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
        pytest.raises(ThinfileError, match=r"its Java ended \(no room on this machine\); correct that"),
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
