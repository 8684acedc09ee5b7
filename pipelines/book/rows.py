"""A second copy of a book's numbers, stored by row, for the lookup of one customer.

Reading one row of two hundred columns from Parquet costs as much as reading thousands. These Arrow files have the
numbers of a row side by side, eight bytes each, in small compressed batches, in the order of the bucket's Parquet file.
They have customer_id beside the numbers, and no protected attributes.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.storage.atomic_files import whole_file

ROWS = "_rows"
"""The folder of these files in a book's; readers of Parquet folders skip names with an underscore."""

ROWS_A_BATCH = 16

NUMBERS = (pa.int64(), pa.float64())
NOT_NUMBERS = ("customer_id", "observed_at")


def rows_path(bucket: Path) -> Path:
    """Return the row file of a bucket's Parquet file."""
    return bucket.parent / ROWS / f"{bucket.stem}.arrow"


def write_rows(parts: Iterable[pa.Table], path: Path) -> None:
    """Write the numbers of tables of equal columns, row by row; at least one table."""
    parts = iter(parts)
    first = next(parts)
    names = [one.name for one in first.schema if one.type in NUMBERS and one.name not in NOT_NUMBERS]
    kinds = {name: str(first.schema.field(name).type) for name in names}
    schema = pa.schema(
        [first.schema.field("customer_id"), ("row", pa.binary(8 * len(names)))], {"columns": json.dumps(kinds)}
    )
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with whole_file(path) as temporary, pa.ipc.new_file(str(temporary), schema, options=options) as writer:
        for part in _in_whole_batches(chain([first], parts)):
            ids, rows = part["customer_id"].combine_chunks(), _side_by_side(part, names, schema.field("row").type)
            writer.write_table(pa.table([ids, rows], schema=schema), ROWS_A_BATCH)


def _in_whole_batches(parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the same rows in full batches except the last, so that a row is found by its number."""
    left: list[pa.Table] = []
    for part in parts:
        rows = pa.concat_tables([*left, part])
        whole = len(rows) - len(rows) % ROWS_A_BATCH
        yield rows.slice(0, whole)
        left = [rows.slice(whole)]
    yield from left


def _side_by_side(table: pa.Table, names: Sequence[str], kind: pa.DataType) -> pa.Array:
    cells = np.empty((len(table), len(names)), np.int64)
    for number, name in enumerate(names):
        cells[:, number] = table[name].to_numpy().view(np.int64)  # the bits of doubles
    return pa.FixedSizeBinaryArray.from_buffers(kind, len(table), [None, pa.py_buffer(cells)])


def renew_rows(bucket: Path) -> None:
    """Write the row file of a bucket again from its Parquet file."""
    file = pq.ParquetFile(bucket)
    write_rows((file.read_row_group(number) for number in range(file.num_row_groups)), rows_path(bucket))


class RowFile:
    """An open row file, which stays on disk; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._reader = pa.ipc.open_file(pa.memory_map(str(path)))
        kinds = json.loads(self._reader.schema.metadata[b"columns"])
        self._is_double = [(name, kind == str(pa.float64())) for name, kind in kinds.items()]
        self._lock = Lock()

    def read(self, number: int) -> tuple[int | str, dict[str, float]]:
        """Return the customer of a row, and its numbers by column; whole ones as int."""
        with self._lock:
            batch = self._reader.get_batch(number // ROWS_A_BATCH)
        position = number % ROWS_A_BATCH
        cells: NDArray[np.int64] = np.frombuffer(batch.column(1)[position].as_buffer(), np.int64)
        whole, double = cells.tolist(), cells.view(np.float64).tolist()
        numbers = {name: double[at] if is_double else whole[at] for at, (name, is_double) in enumerate(self._is_double)}
        return batch.column(0)[position].as_py(), numbers
