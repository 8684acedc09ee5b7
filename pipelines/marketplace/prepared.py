"""Buckets on their way from clean tables to features and outcomes, kept by what they were made of."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
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
from pipelines.marketplace.settings import Engine
from pipelines.marketplace.tables import CONTRACTS, Kind, TableContract
from pipelines.storage.atomic_files import scratch_folder, whole_file
from pipelines.storage.fingerprint import fingerprint_code, fingerprint_record
from pipelines.storage.json_values import plain

log = logging.getLogger(__name__)

CODE = ("features/*.py", "credit/loan.py", "credit/vintage.py", "marketplace/bucket.py")
"""What decides how a bucket is made."""

OTHERS = "other"
"""Beside the mature applications: those without an outcome, or without one yet."""


class Making(Protocol):
    """Something that is made of clean buckets one by one; it travels to processes and executors."""

    @property
    def lake(self) -> Path:
        """The folder of the clean buckets."""

    def is_made(self, bucket: int) -> bool:
        """Whether a bucket is there whole."""

    def make(self, bucket: int) -> int:
        """Make one bucket and return its number."""


@dataclass(frozen=True)
class Recipe:
    """What is made of the clean buckets of a marketplace, and where: `identity` names all that decides the result."""

    lake: Path
    loan: LoanContract
    features: FeatureSettings
    identity: str

    @property
    def folder(self) -> Path:
        """The place of all that is made."""
        return self.lake / "prepared" / self.identity

    @property
    def applications(self) -> Path:
        """The folder of all applications with their features, whatever became of them."""
        return self.folder / "applications"

    @property
    def mature(self) -> Path:
        """The folder of those whose outcome is known: the training table."""
        return self.applications / Status.mature.name

    @property
    def vintages(self) -> Path:
        """The folder of the vintages, to be summed."""
        return self.folder / "vintages"

    def is_made(self, bucket: int) -> bool:
        """Whether a bucket is there whole."""
        return (self.mature / name_of(bucket)).exists()

    def make(self, bucket: int) -> int:
        """Make one bucket and return its number; its mature applications come last, and stand for the whole."""
        made = prepare_bucket(read_history(self.lake, bucket), self.loan, self.features)
        is_mature = pc.equal(made.applications["status"], Status.mature.name)
        for folder, table in (
            (self.vintages, made.vintages),
            (self.applications / OTHERS, made.applications.filter(pc.invert(is_mature))),
            (self.mature, made.applications.filter(is_mature)),
        ):
            write_table(table, folder / name_of(bucket))
        return bucket


def name_of(bucket: int) -> str:
    """Return the file name of a bucket."""
    return f"bucket-{bucket:05d}.parquet"


def recipe_of(lake: Path, content: str, loan: LoanContract, features: FeatureSettings) -> Recipe:
    """Return the recipe for clean tables of that content; equal ones, made by the same code, lie in the same folder."""
    made_of = {"content": content, "loan": asdict(loan), "features": plain(features), "code": fingerprint_code(*CODE)}
    return Recipe(lake, loan, features, fingerprint_record(made_of)[:16])


def prepare_buckets(recipe: Making, buckets: int, threads: int, engine: Engine, memory: str) -> None:
    """Make the buckets that are not there yet, so many at once; a killed run goes on where it stopped."""
    missing = [bucket for bucket in range(buckets) if not recipe.is_made(bucket)]
    on_spark = engine is Engine.spark and missing
    made = _made_on_spark(recipe, missing, threads, memory) if on_spark else _made(recipe, missing, threads)
    with progress("buckets", buckets, log) as advance:
        for done, _ in enumerate(made, start=buckets - len(missing) + 1):
            advance(done, "features and outcomes")


def _made(recipe: Making, missing: Sequence[int], threads: int) -> Iterator[int]:
    if threads == 1 or len(missing) < 2:
        for bucket in missing:
            yield _make(recipe, bucket)
        return
    # Spawned: a forked process would inherit the locks of DuckDB's and Arrow's threads.
    with ProcessPoolExecutor(threads, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(_make, recipe), missing)


def _made_on_spark(recipe: Making, missing: Sequence[int], threads: int, memory: str) -> Iterator[int]:
    """Make buckets on Spark's executors, one a task.

    All rows of a customer lie in one bucket already, so nothing is shuffled: each task reads its bucket from the lake
    and writes what it makes of it there, as a process of this machine would. Executors on other machines must see the
    workspace under the same path.
    """
    with scratch_folder(recipe.lake) as scratch, session(threads, memory, scratch) as spark:
        yield from map_on_spark(spark, partial(_make, recipe), missing)


def _make(recipe: Making, bucket: int) -> int:
    pa.set_cpu_count(1)  # the pool is the parallelism
    return recipe.make(bucket)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a Parquet file whole."""
    with whole_file(path) as temporary, table_writer(temporary, table.schema) as writer:
        writer.write_table(table)


def table_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Return a writer of a Parquet file; few doubles repeat, so that a dictionary of them costs more than it saves."""
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
