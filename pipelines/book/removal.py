"""A person is removed from a prepared book: the rows of the bucket, its row file, and the index."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.book.index import INDEX, CustomerIndex, bucket_paths, write_index
from pipelines.book.rows import renew_rows
from pipelines.marketplace.prepared import table_writer
from pipelines.storage.atomic_files import whole_file


def remove_customer(folder: Path, customer_id: int | str) -> int:
    """Remove a customer from the files of a book and return how many rows that were: one or none.

    The id is of the type that the book keeps; a book that was not finished is searched whole. The index is written
    last: killed half-way, the same call finishes the work. Whoever has the book open goes on reading the earlier files
    until it is opened again. To be called with the lake's lock held, so that nobody prepares meanwhile.
    """
    removed, paths = 0, bucket_paths(folder)
    is_whole = (folder / INDEX).exists()
    found = {bucket for bucket, _ in CustomerIndex(folder).places(customer_id)} if is_whole else range(len(paths))
    for bucket in found:
        removed += _without(paths[bucket], customer_id)
        renew_rows(paths[bucket])
    if is_whole and found:
        write_index(folder)
    return removed


def _without(bucket: Path, customer_id: int | str) -> int:
    """Rewrite a bucket without a customer's rows and return how many there were."""
    file, kept = pq.ParquetFile(bucket), 0
    with whole_file(bucket) as temporary, table_writer(temporary, file.schema_arrow) as writer:
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number)
            rows = rows.filter(pc.not_equal(rows["customer_id"], pa.scalar(customer_id, rows["customer_id"].type)))
            writer.write_table(rows)
            kept += len(rows)
    return int(file.metadata.num_rows - kept)
