"""Clean tables in buckets: all rows of a customer are in the same bucket of every table."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.duckdb_engine import sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CLEAN = "clean"


def bucket_files(into: Path, table: str, bucket: int) -> list[str]:
    """Return the Parquet files of one bucket of a clean table: at least one, which may be empty."""
    return sorted(map(str, (into / CLEAN / table / f"bucket={bucket}").glob("*.parquet")))


def bucket_of_customer(buckets: int) -> str:
    """Return SQL for the bucket of a customer's rows."""
    return f"(hash(customer_id) % {buckets})::integer"


def write_buckets(
    connection: "DuckDBPyConnection", rows: str, columns: str, bucket: str, folder: Path, buckets: int
) -> int:
    """Write rows below folder/bucket=<n>/ and return their number.

    Files stay open until the table is written: closing the least used ones would leave many small files.
    """
    folder.mkdir(parents=True)
    threads = connection.execute("select current_setting('threads')").fetchall()[0][0]
    connection.execute(f"set partitioned_write_max_open_files = {buckets * threads}")
    query = f"select {columns}, {bucket} as bucket from {rows}"
    write = f"copy ({query}) to {sql_text(str(folder))} (format parquet, partition_by (bucket))"
    written = int(connection.execute(write).fetchall()[0][0])
    for number in range(buckets):
        part = folder / f"bucket={number}"
        if not part.exists():
            part.mkdir()
            empty = sql_text(str(part / "empty.parquet"))
            connection.execute(f"copy (select {columns} from {rows} limit 0) to {empty} (format parquet)")
    return written
