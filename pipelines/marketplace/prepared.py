"""Buckets on their way from clean tables to features and outcomes: one file each, kept by what they were made of."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.atomic import whole_file
from pipelines.credit.loan import LoanContract
from pipelines.features.history import History
from pipelines.features.settings import FeatureSettings
from pipelines.fingerprint import fingerprint_record
from pipelines.marketplace.bucket import prepare_bucket
from pipelines.marketplace.buckets import bucket_files
from pipelines.marketplace.tables import CONTRACTS
from pipelines.progress import progress
from pipelines.settings import plain

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """What is made of the clean buckets of a marketplace, and where: `identity` names all that decides the result."""

    lake: Path
    loan: LoanContract
    features: FeatureSettings
    identity: str

    @property
    def folder(self) -> Path:
        """The place of the buckets' applications and vintages."""
        return self.lake / "prepared" / self.identity

    def applications(self, bucket: int) -> Path:
        """Return the file of a bucket's applications with features and outcomes."""
        return self.folder / "applications" / f"bucket-{bucket:05d}.parquet"

    def vintages(self, bucket: int) -> Path:
        """Return the file of a bucket's vintages."""
        return self.folder / "vintages" / f"bucket-{bucket:05d}.parquet"


def recipe_of(lake: Path, content: str, loan: LoanContract, features: FeatureSettings) -> Recipe:
    """Return the recipe for clean tables of that content; equal ones lie in the same folder."""
    made_of = {"content": content, "loan": asdict(loan), "features": plain(features)}
    return Recipe(lake, loan, features, fingerprint_record(made_of)[:16])


def prepare_buckets(recipe: Recipe, buckets: int, threads: int) -> None:
    """Make the buckets that are not there yet, so many at once; a killed run goes on where it stopped."""
    missing = [bucket for bucket in range(buckets) if not recipe.applications(bucket).exists()]
    with progress("buckets", buckets, log) as advance:
        for done, _ in enumerate(_made(recipe, missing, threads), start=buckets - len(missing) + 1):
            advance(done, "features and outcomes")


def _made(recipe: Recipe, missing: Sequence[int], threads: int) -> Iterator[int]:
    if threads == 1 or len(missing) < 2:
        for bucket in missing:
            yield make_bucket(recipe, bucket)
        return
    # Spawned: a forked process would inherit the locks of DuckDB's and Arrow's threads.
    with ProcessPoolExecutor(threads, mp_context=get_context("spawn")) as pool:
        yield from pool.map(make_bucket, [recipe] * len(missing), missing)


def make_bucket(recipe: Recipe, bucket: int) -> int:
    """Make one bucket and return its number; its applications are written last, and stand for the whole."""
    pa.set_cpu_count(1)  # the pool is the parallelism
    made = prepare_bucket(read_history(recipe.lake, bucket), recipe.loan, recipe.features)
    for path, table in ((recipe.vintages(bucket), made.vintages), (recipe.applications(bucket), made.applications)):
        with whole_file(path) as temporary:
            pq.write_table(table, temporary, compression="zstd", compression_level=1)
    return bucket


def read_history(lake: Path, bucket: int) -> History:
    """Return the clean rows of one bucket."""
    return History(**{contract.name: _read(bucket_files(lake, contract.name, bucket)) for contract in CONTRACTS})


def _read(files: Sequence[str]) -> pa.Table:
    return pa.concat_tables([pq.read_table(file, partitioning=None) for file in files])
