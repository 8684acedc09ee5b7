"""One row of a prepared book by customer id: a search in the index, and one small group of rows read."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.book.index import CustomerIndex, bucket_paths

FILES_OPEN = 64
"""At most: each keeps its footer in memory."""


class BookRows:
    """The rows of a book's folder, of some columns; safe to share between threads."""

    def __init__(self, folder: Path, columns: Sequence[str]) -> None:
        self._index, self._paths = CustomerIndex(folder), bucket_paths(folder)
        self._columns = ["customer_id", *columns]
        self._of_integers = pa.types.is_integer(pq.read_schema(self._paths[0]).field("customer_id").type)
        self._open = lru_cache(FILES_OPEN)(_File)

    def __len__(self) -> int:
        return len(self._index)

    def of(self, customer_id: int | str) -> Mapping[str, Any] | None:
        """Return a customer's row, None where there is none; an integer id may be written as text."""
        spelt = str(customer_id)
        if self._of_integers and not spelt.removeprefix("-").isdecimal():
            return None
        wanted = int(spelt) if self._of_integers else spelt
        for file, row in self._index.places(wanted):
            found = self._open(self._paths[file]).row(row, self._columns)
            if found["customer_id"] == wanted:
                return found
        return None


class _File:
    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path, memory_map=True)
        groups = self._file.metadata
        self._ends = np.cumsum([groups.row_group(number).num_rows for number in range(groups.num_row_groups)])
        self._lock = Lock()

    def row(self, number: int, columns: list[str]) -> dict[str, Any]:
        group = int(np.searchsorted(self._ends, number, "right"))
        with self._lock:
            rows = self._file.read_row_group(group, columns, use_threads=False)
        place = number - int(self._ends[group - 1]) if group else number
        return {name: rows.column(at)[place].as_py() for at, name in enumerate(rows.column_names)}
