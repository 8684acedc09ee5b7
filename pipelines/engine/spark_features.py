"""Features of tables that lie in Spark: it brings the rows of a customer together and calls the kernel on them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.engine.spark_engine import silent_on_pandas
from pipelines.errors import DataError
from pipelines.features.history import History
from pipelines.features.kernel import compute_features
from pipelines.features.settings import FeatureSettings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PART = "part"
"""The column by which the rows of a customer come together."""

IDENTIFIERS = {
    "customer_id": ("customers", "orders", "applications"),
    "application_id": ("applications", "instalments"),
}


def compute_features_on_spark(
    tables: Mapping[str, "DataFrame"], settings: FeatureSettings, *, lag_days: int, partitions: int
) -> "DataFrame":
    """Return application_id and the features of each application, as the kernel computes them, in no order.

    `tables` are the four clean ones. Customers are dealt into so many `partitions`, and a worker holds one of them at a
    time: there should be one for every million orders or so. Orders, by far the most rows, are shuffled as they are;
    the other tables go beside them, each as one column. Times are TIMESTAMP_NTZ in UTC, as Spark reads clean Parquet,
    or TIMESTAMP. What the kernel raises comes with the first action on the result.

    Raises:
        DataError: an identifier is of different types in two tables.
    """
    _check_identifiers(tables)
    owners = tables["applications"].select("application_id", "customer_id")
    owned = {**tables, "instalments": tables["instalments"].join(owners, "application_id")}
    dealt = {name: _dealt(name, table, partitions) for name, table in owned.items()}
    others = dealt["customers"]
    for name in ("applications", "instalments"):
        others = others.unionByName(dealt[name], allowMissingColumns=True)

    def features_of_part(orders: pa.Table, others: pa.Table) -> pa.Table:
        pa.set_cpu_count(1)  # the executors are the parallelism
        return compute_features(_history(orders, others), settings, lag_days=lag_days)

    nobody = History(**{name: table.limit(0).toArrow() for name, table in tables.items()})
    columns = compute_features(nobody, settings, lag_days=lag_days)
    schema = others.sparkSession.createDataFrame(columns).schema
    together = dealt["orders"].groupBy(PART).cogroup(others.groupBy(PART))
    with silent_on_pandas():
        return together.applyInArrow(features_of_part, schema)


def _check_identifiers(tables: Mapping[str, "DataFrame"]) -> None:
    for column, names in IDENTIFIERS.items():
        types = {name: tables[name].schema[column].dataType.simpleString() for name in names}
        if len(set(types.values())) > 1:
            received = ", ".join(f"{kind} in {name}" for name, kind in types.items())
            raise DataError(f"{column} must have one type in all tables, received {received}; cast it to one of them")


def _dealt(name: str, table: "DataFrame", partitions: int) -> "DataFrame":
    """Return a table as one column of its name, beside the part that the customer of each row belongs to."""
    from pyspark.sql import functions

    part = functions.pmod(functions.hash("customer_id"), functions.lit(partitions))
    return table.select(part.alias(PART), functions.struct(*table.columns).alias(name))


def _history(*sides: pa.Table) -> History:
    """Return the tables that lie beside each other as columns; a row belongs to the one that is not empty in it."""
    columns = {name: side[name] for side in sides for name in side.column_names if name != PART}
    return History(**{name: pa.Table.from_struct_array(rows.drop_null()) for name, rows in columns.items()})
