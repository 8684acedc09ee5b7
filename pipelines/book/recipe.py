"""Where a prepared book lies, and how its buckets are made: a Parquet file each, customers in order of their ids."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.book.bucket import book_rows
from pipelines.book.observation import Observation
from pipelines.book.rows import rows_path, write_rows
from pipelines.features.settings import FeatureSettings
from pipelines.marketplace.prepared import name_of, read_history, table_writer
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.fingerprint import fingerprint_code, fingerprint_record
from pipelines.storage.json_values import plain

CODE = ("features/*.py", "book/bucket.py", "book/index.py", "book/recipe.py", "book/rows.py", "marketplace/bucket.py")
"""What decides how a bucket is made."""

BOOKS, BOOK = "prepared_books", "book"
"""In a marketplace's folder: what was made, by identity; and the names that lead there, by observation time."""


@dataclass(frozen=True)
class BookRecipe:
    """What is made of the clean buckets of a marketplace, and where: `identity` names all that decides the result."""

    lake: Path
    observation: Observation
    features: FeatureSettings
    identity: str

    @property
    def folder(self) -> Path:
        """The place of all that is made."""
        return self.lake / BOOKS / self.identity

    @property
    def offered(self) -> Path:
        """The name under which people find it."""
        return self.lake / BOOK / self.observation.name

    def is_made(self, bucket: int) -> bool:
        """Whether a bucket is there whole."""
        return (self.folder / name_of(bucket)).exists()

    def make(self, bucket: int) -> int:
        """Make one bucket and return its number."""
        path = self.folder / name_of(bucket)
        parts = book_rows(read_history(self.lake, bucket), self.observation, self.features)
        first = next(parts)
        with whole_file(path) as temporary, table_writer(temporary, first.schema) as writer:
            write_rows(_also_written(writer, chain([first], parts)), rows_path(path))
        return bucket


def _also_written(writer: pq.ParquetWriter, parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    for part in parts:
        writer.write_table(part)
        yield part


def book_recipe(lake: Path, content: str, observation: Observation, features: FeatureSettings) -> BookRecipe:
    """Return the recipe for clean tables of that content; equal ones, made by the same code, lie in the same folder."""
    observed = {"at": observation.at.isoformat(), "lag": observation.lag.days, "loan": asdict(observation.loan)}
    made_of = {"content": content, "observed": observed, "features": plain(features), "code": fingerprint_code(*CODE)}
    return BookRecipe(lake, observation, features, fingerprint_record(made_of)[:16])
