"""Joins the purchase features of a marketplace to a user's own applications, by customer and time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds
import pyarrow.parquet as pq

from pipelines.command.verb import Outcome, carried, shell_word
from pipelines.engine.duckdb_engine import connect
from pipelines.erasures.record import read_erasures
from pipelines.features.kernel import compute_features, feature_columns
from pipelines.features.settings import FeatureSettings
from pipelines.marketplace.buckets import bucket_files, write_buckets
from pipelines.marketplace.extract import Reach, check_reach
from pipelines.marketplace.manifest import IntakeRecord
from pipelines.marketplace.own_applications import OwnApplications, check_names, of_lake, read_own_applications
from pipelines.marketplace.prepared import name_of, prepare_buckets, read_history, write_table
from pipelines.marketplace.settings import PrepareSettings, RawSettings
from pipelines.marketplace.sources import TableSource, fingerprint_sources
from pipelines.marketplace.tables import ROW
from pipelines.marketplace.training_table import link
from pipelines.secrets.private_files import make_folder
from pipelines.storage.atomic_files import scratch_folder, whole_file
from pipelines.storage.fingerprint import fingerprint_code, fingerprint_record
from pipelines.storage.json_values import to_json_values
from pipelines.storage.workspace import Workspace

CODE = ("features/*.py", "book/prepare_join.py", "marketplace/own_applications.py")
"""The code that determines the joined table."""

JOINED = "own_applications"
"""In a marketplace's folder: a link to the latest joined table."""

APPLICATIONS, TABLE, RECORD = "_applications", "applications.parquet", "_joined.json"


@dataclass(frozen=True)
class JoinRecipe:
    """Computes the features of a user's applications bucket by bucket; `folder` has the applications and the result."""

    lake: Path
    folder: Path
    features: FeatureSettings
    lag_days: int

    def is_made(self, bucket: int) -> bool:
        """Whether a bucket is complete."""
        return self._path(bucket).exists()

    def make(self, bucket: int) -> int:
        """Make one bucket and return its number: ROW and the features of the applications of its customers."""
        history = read_history(self.lake, bucket)
        files = (self.folder / APPLICATIONS / f"bucket={bucket}").glob("*.parquet")
        own = pa.concat_tables([pq.read_table(file, partitioning=None) for file in sorted(files)])
        customers = of_lake(own["customer_id"].combine_chunks(), history.customers["customer_id"])
        own = own.set_column(own.column_names.index("customer_id"), "customer_id", customers)
        own = own.filter(pc.is_valid(own["customer_id"]))
        orders = of_lake(own["order_id"].combine_chunks(), history.orders["order_id"])
        own = own.set_column(own.column_names.index("order_id"), "order_id", orders)
        applications = own.rename_columns({ROW: "application_id"})
        values = compute_features(history, self.features, lag_days=self.lag_days, asked=applications)
        write_table(values.rename_columns({"application_id": ROW}), self._path(bucket))
        return bucket

    def write_applications(self, own: pa.Table, buckets: int, threads: int, memory: str) -> None:
        """Write the applications of the customers of each bucket."""
        customers = pq.read_schema(bucket_files(self.lake, "customers", 0)[0]).field("customer_id")
        customer = "try_cast(customer_id as bigint)" if pa.types.is_integer(customers.type) else "customer_id"
        make_folder(self.folder)
        with scratch_folder(self.folder) as scratch, connect(threads, memory, scratch) as connection:
            connection.register("own_rows", own)
            columns, bucket = ", ".join(own.column_names), f"(hash({customer}) % {buckets})::integer"
            write_buckets(connection, "own_rows", columns, bucket, scratch / APPLICATIONS, buckets)
            rmtree(self.folder / APPLICATIONS, ignore_errors=True)
            (scratch / APPLICATIONS).rename(self.folder / APPLICATIONS)

    def keep(self, rows: pa.ChunkedArray, buckets: int) -> None:
        """Drop the features of other rows than these: people may have been erased since they were computed."""
        for bucket in range(buckets):
            features = pq.read_table(self._path(bucket))
            kept = features.filter(pc.is_in(features[ROW], value_set=rows.combine_chunks()))
            if len(kept) < len(features):
                write_table(kept, self._path(bucket))

    def joined(self, own: OwnApplications, buckets: int) -> pa.Table:
        """Return the user's table with the features as further columns, empty for customers who are not in the lake."""
        features = pa.concat_tables([pq.read_table(self._path(bucket)) for bucket in range(buckets)])
        rows = pc.index_in(own.table[ROW], value_set=features[ROW].combine_chunks())
        table = own.table.drop_columns([ROW])
        for name in features.column_names[1:]:
            if name not in table.column_names:
                table = table.append_column(name, features[name].take(rows))
        return table

    def _path(self, bucket: int) -> Path:
        return self.folder / "features" / name_of(bucket)


def prepare_join(
    settings: PrepareSettings, raw: RawSettings, lake: Path, taken: IntakeRecord, source: TableSource
) -> Outcome:
    """Join purchase features to a user's own applications, as known strictly before each of them.

    `raw` names the files of this machine.

    Raises:
        DataError: the applications cannot be read; they are later than the tables reach; a column has a feature's name.
    """
    erasures = read_erasures(Workspace.at(settings.workspace))
    own = read_own_applications(raw, source, lake, settings.threads, settings.memory, erasures)
    numeric, categorical = feature_columns(settings.features)
    check_names(own.table, {*numeric, *categorical})
    _check_reach(settings, lake, taken, own.applications)
    inputs = {
        "intake": taken.identity,
        "own": fingerprint_sources({source.table: source}, settings.threads),
        "raw": to_json_values(settings.raw) | {"database": None},
        "features": to_json_values(settings.features),
        "lag": settings.loan.feature_lag_days,
        "code": fingerprint_code(*CODE),
    }
    folder = lake / "prepared_own" / fingerprint_record(inputs)[:16]
    recipe = JoinRecipe(lake, folder, settings.features, settings.loan.feature_lag_days)
    if _record_of(folder).get("erased") != own.erased:  # the features of the others stay as they are
        recipe.write_applications(own.applications, taken.buckets, settings.threads, settings.memory)
        prepare_buckets(recipe, taken.buckets, settings)
        recipe.keep(own.table[ROW], taken.buckets)
        _finish(recipe, own, taken.buckets, len(numeric) + len(categorical))
    link(lake / JOINED, folder)
    return _outcome(settings, lake / JOINED / TABLE, _record_of(folder))


def _record_of(folder: Path) -> Mapping[str, Any]:
    path = folder / RECORD
    record: Mapping[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return record


def _finish(recipe: JoinRecipe, own: OwnApplications, buckets: int, features: int) -> None:
    """Write the joined table, then the record, which marks it as complete."""
    write_table(recipe.joined(own, buckets), recipe.folder / TABLE)
    known = pds.dataset(recipe.folder / "features").count_rows()
    record = {
        "rows": len(own.table),
        "unknown_customers": len(own.table) - known,
        "quarantined": dict(own.quarantined),
        "erased": own.erased,
        "features": features,
    }
    with whole_file(recipe.folder / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1))


def _check_reach(settings: PrepareSettings, lake: Path, taken: IntakeRecord, applications: pa.Table) -> None:
    """Raise DataError where the latest application is after the end of the purchase history."""
    latest: datetime = pc.max(applications["applied_at"]).as_py()
    lag = timedelta(days=settings.loan.feature_lag_days)
    check_reach(
        lake, Reach("the latest applied_at of own_applications", f"{latest:%Y-%m-%d}", latest - lag, lag), taken.tables
    )


def _outcome(settings: PrepareSettings, path: Path, record: Mapping[str, Any]) -> Outcome:
    rows, unknown = record["rows"], record["unknown_customers"]
    summary = [f"{rows:,} applications of your own, each with {record['features']} features known strictly before it"]
    summary += [f"  quarantined {count:,}: {rule}" for rule, count in record["quarantined"].items()]
    if record["erased"]:
        summary.append(f"  left out {record['erased']:,} of erased people")
    if unknown:
        summary.append(f"  {unknown:,} are of customers who are not in the marketplace; their features are empty")
    summary.append(f"  {path}")
    step = f"thinfile tune data=table {shell_word('data.path', path)} data.label=COLUMN data.id=COLUMN data.time=COLUMN"
    return Outcome({"path": str(path), **record}, summary=summary, next_steps=[f"{step}{carried(settings)}"])
