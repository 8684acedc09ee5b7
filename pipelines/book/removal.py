"""Removes a customer from a prepared book: from the bucket, its row file and the index."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.book.index import INDEX, CustomerIndex, bucket_paths, write_index
from pipelines.book.rows import renew_rows
from pipelines.marketplace.prepared import table_writer
from pipelines.storage.atomic_files import whole_file


def remove_customer(folder: Path, customer_id: int | str) -> int:
    """Remove a customer from the files of a book and return the number of rows: one or none.

    The id has the type of the book's ids; an unfinished book is searched completely. The index is written last, so that
    an interrupted call can be repeated. An open book reads the earlier files until it is opened again. The caller holds
    the lake's lock.
    """
    removed, paths = 0, bucket_paths(folder)
    is_whole = (folder / INDEX).exists()
    buckets = {bucket for bucket, _ in CustomerIndex(folder).positions(customer_id)} if is_whole else range(len(paths))
    for bucket in buckets:
        removed += _without(paths[bucket], customer_id)
        renew_rows(paths[bucket])
    if is_whole and buckets:
        write_index(folder)
    return removed


def _without(bucket: Path, customer_id: int | str) -> int:
    file, kept = pq.ParquetFile(bucket), 0
    with whole_file(bucket) as temporary, table_writer(temporary, file.schema_arrow) as writer:
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number)
            rows = rows.filter(pc.not_equal(rows["customer_id"], pa.scalar(customer_id, rows["customer_id"].type)))
            writer.write_table(rows)
            kept += len(rows)
    return int(file.metadata.num_rows - kept)
