"""Decodes every column of Parquet files and does nothing with them: python -m tests.benchmarks.decode_tables FOLDER."""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

THREADS = 2


def decode(folder: Path) -> int:
    """Return how many rows were decoded, a row group at a time, its columns on two threads."""
    pa.set_cpu_count(THREADS)
    rows = 0
    for file in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(file) as opened:
            for group in range(opened.num_row_groups):
                rows += len(opened.read_row_group(group, use_threads=True))
    return rows


if __name__ == "__main__":
    print(decode(Path(sys.argv[1])))
