"""One customer's row of a prepared book: a search in the index, and one small batch of rows read."""

from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.book.index import CustomerIndex, bucket_paths
from pipelines.book.rows import RowFile, rows_path
from pipelines.errors import DataError

FILES_OPEN = 128


class CustomerRows:
    """The numbers of every customer in a book's folder, found by id; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index, self._buckets = CustomerIndex(folder), bucket_paths(folder)
        self._of_integers = pa.types.is_integer(pq.read_schema(self._buckets[0]).field("customer_id").type)
        self._open = lru_cache(FILES_OPEN)(RowFile)

    def __len__(self) -> int:
        return len(self._index)

    def find(self, customer_id: int | str) -> dict[str, float] | None:
        """Return a customer's features and kept sums, None where there is none; an integer may be written as text.

        Raises:
            DataError: the files do not fit together.
        """
        wanted = self._as_kept(customer_id)
        if wanted is None:
            return None
        places = self._index.places(wanted)
        for bucket, row in places:
            customer, numbers = self._open(rows_path(self._buckets[bucket])).read(row)
            if customer == wanted:
                return numbers
        if places:  # two texts of one key are not to be met with in a lifetime
            raise DataError(
                f"the book '{self._folder}' does not match its index: an erasure is running or was interrupted; "
                "finish it and open the book again"
            )
        return None

    def _as_kept(self, customer_id: int | str) -> int | str | None:
        spelt = str(customer_id)
        if not self._of_integers:
            return spelt
        return int(spelt) if spelt.isascii() and spelt.removeprefix("-").isdecimal() else None
