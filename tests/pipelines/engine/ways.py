"""Random marketplaces computed three ways: the kernel alone and through DuckDB's buckets, Spark, and the oracle."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.engine.duckdb_engine import connect
from pipelines.engine.spark_engine import check_spark
from pipelines.engine.spark_features import compute_features_on_spark
from pipelines.errors import ConfigurationError
from pipelines.features.history import History
from pipelines.features.kernel import compute_features
from pipelines.marketplace.buckets import CLEAN, bucket_of_customer, write_buckets
from pipelines.marketplace.prepared import read_history
from pipelines.marketplace.tables import CONTRACTS, Kind
from tests.pipelines.features.marketplaces import SETTINGS, history_of, random_tables
from tests.pipelines.features.oracle import features as oracle

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CUSTOMERS, BUCKETS = 60, 3
MEMORY = "1GB"


def why_no_spark() -> str:
    """Return why Spark cannot run here; nothing when it can."""
    try:
        check_spark()
    except ConfigurationError as error:
        return str(error)
    return ""


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


def assert_three_ways_agree(case: Case, spark: "SparkSession", lake: Path) -> int:
    """Raise AssertionError where any way gives another feature; return how many applications were compared."""
    history = history_for(case)
    lay_in_buckets(history, lake)
    alone = compute_features(history, SETTINGS, lag_days=case.lag_days)
    bucketed = [
        compute_features(read_history(lake, bucket), SETTINGS, lag_days=case.lag_days) for bucket in range(BUCKETS)
    ]
    on_spark = compute_features_on_spark(
        clean_tables(spark, lake), SETTINGS, lag_days=case.lag_days, partitions=case.partitions
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
    return len(found)
