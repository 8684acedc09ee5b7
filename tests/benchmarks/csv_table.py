"""Writes a CSV file of applications: numbers of several forms, categories, ids with leading zeros and dates."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

ROWS = 100_000
"""Rows of a block, which is written again and again."""

NUMBERS, CATEGORIES = 12, 4


def write_csv(path: Path, bytes_: int, seed: int = 0) -> Path:
    """Write a file of at least so many bytes."""
    draw = np.random.default_rng(seed)
    columns: dict[str, object] = {"application_id": [f"{row:012d}" for row in range(ROWS)]}
    for place in range(NUMBERS):
        values = draw.lognormal(6, 1, ROWS)
        columns[f"number_{place}"] = np.round(values, 2) if place % 2 else values.astype(np.int64)
    for place in range(CATEGORIES):
        columns[f"category_{place}"] = draw.choice(["north", "south", "NA", "01"], ROWS)
    columns["applied_at"] = (np.datetime64("2026-01-01") + draw.integers(0, 300, ROWS)).astype(str)
    block = pa.BufferOutputStream()
    pa.csv.write_csv(pa.table(columns), block)
    header, _, rows = block.getvalue().to_pybytes().partition(b"\n")
    with path.open("wb") as file:
        file.write(header + b"\n")
        while file.tell() < bytes_:
            file.write(rows)
    return path
