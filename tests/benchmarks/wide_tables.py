"""Simulated scored tables as wide as they get, and of any length: more files are further names of the first."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MILLION = 1_000_000
GROUP = 125_000


def scored(rows: int, seed: int, numbers: int, levels: int = 0, shift: float = 0.0) -> pa.Table:
    """Return points and simulated features: lognormal single-precision numbers, one in four with missing values."""
    generator = np.random.default_rng(seed)
    columns: dict[str, object] = {"points": pa.array(generator.normal(600, 50, rows).astype(np.int32))}
    for place in range(numbers):
        found = generator.lognormal(shift if place == 0 else 0.0, size=rows).astype(np.float32)
        if place % 4 == 3:
            found[generator.random(rows) < 0.1] = np.nan
        columns[f"n{place}"] = pa.array(found)
    for place in range(levels):
        codes = pa.array(generator.integers(0, 3 + 4 * place, rows).astype(np.int32))
        names = pa.array([f"level_{level}" for level in range(3 + 4 * place)])
        columns[f"c{place}"] = pa.DictionaryArray.from_arrays(codes, names)
    return pa.table(columns)


def write_scored(path: Path, rows: int, seed: int, numbers: int, levels: int = 0, shift: float = 0.0) -> Path:
    """Write a scored table as one Parquet file, a row group at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, scored(1, seed, numbers, levels).schema) as writer:
        for start in range(0, rows, GROUP):
            part = scored(min(GROUP, rows - start), seed + start, numbers, levels, shift)
            writer.write_table(part)
    return path


def write_long(folder: Path, millions: int, numbers: int) -> Path:
    """Write a table of so many million rows: one file under so many names.

    It takes the room of one million rows, and lies in the system's cache once read: no disk slows the decoding down.
    """
    first = write_scored(folder / "000.parquet", MILLION, seed=1, numbers=numbers)
    for place in range(1, millions):
        os.link(first, folder / f"{place:03d}.parquet")
    return folder
