"""Reads a CSV file in batches, with Thinfile or with DuckDB alone: `python -m tests.benchmarks.read_csv WHO FILE`.

Prints the rows and the sum of all numbers. Both sides get every value: numbers as doubles, the rest as text.
"""

import sys
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.engine.duckdb_engine import in_memory
from pipelines.reading.files import TableFile
from pipelines.reading.reading import Reading
from pipelines.reading.settings import ReadingSettings
from pipelines.reading.text_files import AT_ONCE, open_text_file, text_batches
from pipelines.reading.values import numbers
from tests.benchmarks.csv_table import NUMBERS

NAMES = [f"number_{place}" for place in range(NUMBERS)]


def by_thinfile(path: Path) -> tuple[int, float]:
    """Read as score does: every value as text, and numbers from their texts by one rule."""
    settings, rows, total = ReadingSettings(), 0, 0.0
    reading = Reading.of(settings)
    for batch in text_batches(open_text_file(TableFile(path), settings, path.parent)):
        table = pa.Table.from_batches([batch])
        for name in NAMES:
            values, broken = numbers(table[name], reading)
            assert broken is None
            total += float(np.sum(values))
        rows += len(table)
    return rows, total


def by_duckdb(path: Path) -> tuple[int, float]:
    """Read as DuckDB does by itself: it finds the types and parses numbers as such."""
    rows, total = 0, 0.0
    with in_memory() as connection:
        for batch in connection.sql(f"from read_csv('{path}')").to_arrow_reader(AT_ONCE):
            for name in NAMES:
                total += float(np.sum(batch.column(name).to_numpy(zero_copy_only=False)))
            rows += len(batch)
    return rows, total


if __name__ == "__main__":
    who, file = sys.argv[1], Path(sys.argv[2])
    assert duckdb.__version__
    counted, summed = (by_thinfile if who == "thinfile" else by_duckdb)(file)
    print(counted, f"{summed:.6e}")
