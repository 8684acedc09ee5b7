"""Makes the buckets of a book: a Parquet file each, with a row for every customer in order of the ids."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.book.observation import Observation
from pipelines.book.rows import rows_path, write_rows
from pipelines.features.history import History
from pipelines.features.kernel import compute_features
from pipelines.features.request import kept_sums
from pipelines.features.settings import FeatureSettings
from pipelines.marketplace.bucket import protected
from pipelines.marketplace.prepared import name_of, read_history, table_writer
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.fingerprint import fingerprint_code, fingerprint_record
from pipelines.storage.json_values import to_json_values

CODE = ("features/*.py", "book/index.py", "book/recipe.py", "book/rows.py", "marketplace/bucket.py")
"""The code that determines a prepared bucket."""

BOOKS, BOOK = "prepared_books", "book"
"""Folders of a marketplace: the books by identity, and links to them by observation time."""

MOST_AT_ONCE = 50_000
"""Customers of a bucket whose features are computed at once: many customers may have few orders."""


@dataclass(frozen=True)
class BookRecipe:
    """Makes a book from clean buckets; `identity` is a hash of everything that determines the result."""

    lake: Path
    observation: Observation
    features: FeatureSettings
    identity: str

    @property
    def folder(self) -> Path:
        """The folder of the book."""
        return self.lake / BOOKS / self.identity

    @property
    def offered(self) -> Path:
        """The link to the book by its observation time."""
        return self.lake / BOOK / self.observation.name

    def is_made(self, bucket: int) -> bool:
        """Whether a bucket is complete."""
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
    """Return the recipe for clean tables of that content; equal content, settings and code share a folder."""
    observed = {"at": observation.at.isoformat(), "lag": observation.lag.days, "loan": asdict(observation.loan)}
    made_of = {
        "content": content,
        "observed": observed,
        "features": to_json_values(features),
        "code": fingerprint_code(*CODE),
    }
    return BookRecipe(lake, observation, features, fingerprint_record(made_of)[:16])


def book_rows(history: History, observation: Observation, features: FeatureSettings) -> Iterator[pa.Table]:
    """Yield the features of a bucket's customers by id, in at least one table, which may have no rows.

    Columns: customer_id, observed_at, sex, age_band, the features, then the sums that the features of a request
    at the checkout are made of (see `kept_sums`). Customers are those registered strictly before the observation time.
    """
    applications = _applications(history.customers, observation)
    for start in range(0, max(len(applications), 1), MOST_AT_ONCE):
        yield _rows(history, applications.slice(start, MOST_AT_ONCE), observation, features)


def _applications(customers: pa.Table, observation: Observation) -> pa.Table:
    """Return an application of each customer for the reference loan, under the customer's id."""
    at = pa.scalar(observation.at, pa.timestamp("us"))
    registered = pc.less(customers["registered_at"].cast(pa.timestamp("us")), at)
    ids = customers["customer_id"].filter(registered)
    ids = ids.take(pc.sort_indices(ids))
    loan = observation.loan
    return pa.table(
        {
            "application_id": ids,
            "customer_id": ids,
            "applied_at": pa.repeat(at, len(ids)),
            "principal": pa.repeat(pa.scalar(loan.amount, pa.int64()), len(ids)),
            "term": pa.repeat(pa.scalar(loan.term, pa.int32()), len(ids)),
            "basket_category": pa.repeat(pa.scalar(loan.basket_category, pa.string()), len(ids)),
        }
    )


def _rows(history: History, applications: pa.Table, observation: Observation, features: FeatureSettings) -> pa.Table:
    values = compute_features(
        history, features, lag_days=observation.lag.days, asked=applications, further=kept_sums(features)
    )
    order = pc.index_in(applications["customer_id"], value_set=values["application_id"].combine_chunks())
    if not np.array_equal(order.to_numpy(), np.arange(len(applications))):
        values = values.take(order)
    about = {"customer_id": applications["customer_id"], "observed_at": applications["applied_at"]}
    table = pa.table(about | protected(history.customers, applications))
    for name in values.column_names[1:]:
        table = table.append_column(name, values[name])
    return table
