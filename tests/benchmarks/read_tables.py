"""Streams a CSV file: python -m tests.benchmarks.read_tables ours|duckdb FILE, and prints its rows."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

AT_ONCE = 100_000


def duckdb_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield a file as DuckDB reads it by itself."""
    import duckdb

    with duckdb.connect() as connection:
        yield from connection.read_csv(str(path)).to_arrow_reader(AT_ONCE)


def our_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield a file as every table is read here."""
    from pipelines.reading.files import TableFile
    from pipelines.reading.settings import TextSettings
    from pipelines.reading.text_files import open_text_file, text_batches

    yield from text_batches(open_text_file(TableFile(path), TextSettings(), path.parent), AT_ONCE)


if __name__ == "__main__":
    way, file = sys.argv[1], Path(sys.argv[2])
    batches = duckdb_batches(file) if way == "duckdb" else our_batches(file)
    print(sum(len(batch) for batch in batches))
