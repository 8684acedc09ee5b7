"""Prepares the buckets of clean tables: features and outcomes, stored by the identity of their inputs."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.command.progress import progress
from pipelines.credit.loan import LoanContract, Status
from pipelines.engine.spark_engine import map_on_spark, session
from pipelines.features.history import History
from pipelines.features.settings import FeatureSettings
from pipelines.marketplace.bucket import prepare_bucket
from pipelines.marketplace.buckets import bucket_files
from pipelines.marketplace.settings import Engine, PrepareSettings
from pipelines.marketplace.tables import CONTRACTS, Kind, TableContract
from pipelines.storage.atomic_files import scratch_folder, whole_file
from pipelines.storage.fingerprint import fingerprint_code, fingerprint_record
from pipelines.storage.json_values import to_json_values

log = logging.getLogger(__name__)

CODE = ("features/*.py", "credit/loan.py", "credit/vintage.py", "marketplace/bucket.py")
"""The code that determines a prepared bucket."""

OTHERS = "other"
"""The folder of applications that are not mature."""


class BucketRecipe(Protocol):
    """A recipe that makes clean buckets into files one by one; it is sent to processes and executors."""

    @property
    def lake(self) -> Path:
        """The folder of the clean buckets."""

    def is_made(self, bucket: int) -> bool:
        """Whether a bucket is complete."""

    def make(self, bucket: int) -> int:
        """Make one bucket and return its number."""


@dataclass(frozen=True)
class Recipe:
    """Prepares the clean buckets of a marketplace; `identity` is a hash of everything that determines the result.

    `segments` are columns of the applications that are kept beside the features.
    """

    lake: Path
    loan: LoanContract
    features: FeatureSettings
    identity: str
    segments: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder of all prepared buckets."""
        return self.lake / "prepared" / self.identity

    @property
    def applications(self) -> Path:
        """The folder of all applications, of any status, with their features."""
        return self.folder / "applications"

    @property
    def mature(self) -> Path:
        """The folder of the mature applications: the training table."""
        return self.applications / Status.mature.name

    @property
    def vintages(self) -> Path:
        """The folder of the vintages of each bucket."""
        return self.folder / "vintages"

    def is_made(self, bucket: int) -> bool:
        """Whether a bucket is complete."""
        return (self.mature / name_of(bucket)).exists()

    def make(self, bucket: int) -> int:
        """Make one bucket and return its number; its mature applications are written last and mark it complete."""
        prepared = prepare_bucket(read_history(self.lake, bucket), self.loan, self.features, self.segments)
        is_mature = pc.equal(prepared.applications["status"], Status.mature.name)
        for folder, table in (
            (self.vintages, prepared.vintages),
            (self.applications / OTHERS, prepared.applications.filter(pc.invert(is_mature))),
            (self.mature, prepared.applications.filter(is_mature)),
        ):
            write_table(table, folder / name_of(bucket))
        return bucket


def name_of(bucket: int) -> str:
    """Return the file name of a bucket."""
    return f"bucket-{bucket:05d}.parquet"


def recipe_of(
    lake: Path, content: str, loan: LoanContract, features: FeatureSettings, segments: tuple[str, ...] = ()
) -> Recipe:
    """Return the recipe for clean tables of that content; equal content, settings and code share a folder."""
    inputs = {
        "content": content,
        "loan": to_json_values(loan),
        "features": to_json_values(features),
        "code": fingerprint_code(*CODE),
    }
    return Recipe(lake, loan, features, fingerprint_record(inputs)[:16], segments)


def prepare_buckets(recipe: BucketRecipe, buckets: int, settings: PrepareSettings) -> None:
    """Make the missing buckets, `threads` at a time; a killed run continues where it stopped."""
    missing = [bucket for bucket in range(buckets) if not recipe.is_made(bucket)]
    on_spark = settings.engine is Engine.spark and missing
    made = _made_on_spark(recipe, missing, settings) if on_spark else _made(recipe, missing, settings.threads)
    with progress("buckets", buckets, log) as advance:
        for done, _ in enumerate(made, start=buckets - len(missing) + 1):
            advance(done, "features and outcomes")


def _made(recipe: BucketRecipe, missing: Sequence[int], threads: int) -> Iterator[int]:
    if threads == 1 or len(missing) < 2:
        for bucket in missing:
            yield _make(recipe, bucket)
        return
    # Spawned: a forked process would inherit the locks of DuckDB's and Arrow's threads.
    with ProcessPoolExecutor(threads, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(_make, recipe), missing)


def _made_on_spark(recipe: BucketRecipe, missing: Sequence[int], settings: PrepareSettings) -> Iterator[int]:
    """Make buckets on Spark's executors, one per task.

    All rows of a customer are in one bucket already, so nothing is shuffled: each task reads its bucket from the lake
    and writes the result there. Executors on other machines need the workspace under the same path.
    """
    with (
        scratch_folder(recipe.lake) as scratch,
        session(settings.threads, settings.memory, scratch, settings.spark) as spark,
    ):
        yield from map_on_spark(spark, partial(_make, recipe), missing)


def _make(recipe: BucketRecipe, bucket: int) -> int:
    pa.set_cpu_count(1)  # the pool is the parallelism
    return recipe.make(bucket)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a Parquet file atomically."""
    with whole_file(path) as temporary, table_writer(temporary, table.schema) as writer:
        writer.write_table(table)


def table_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Return a writer of a Parquet file, without dictionaries for doubles: few of them repeat."""
    levels = [column.name for column in schema if column.type != pa.float64()]
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, use_dictionary=levels)


def read_history(lake: Path, bucket: int) -> History:
    """Return the clean rows of one bucket."""
    return History(
        **{contract.name: _read(contract, bucket_files(lake, contract.name, bucket)) for contract in CONTRACTS}
    )


def _read(contract: TableContract, files: Sequence[str]) -> pa.Table:
    levels = list(contract.of_kind(Kind.text))
    return pa.concat_tables([pq.read_table(file, partitioning=None, read_dictionary=levels) for file in files])
