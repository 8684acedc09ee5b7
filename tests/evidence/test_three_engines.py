"""Spark, DuckDB and a plain oracle count the same of any table, whatever it holds."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.profiles.passes import Pass, on_spark
from pipelines.profiles.roles import TableRoles
from tests.evidence.conftest import Evidence
from tests.pipelines.engine.ways import MEMORY
from tests.pipelines.profiles.ways import Table, assert_ways_agree, random_pair
from tests.real_parts import needs_spark

SIZES = ((300, 200), (500, 0), (500, 1), (1, 50), (0, 20), (2000, 1500), (40, 40))
"""Rows of the reference and of the window: empty ones and those of one row among them."""

MANY_LEVELS = (25_000, 12_000)
"""Rows enough for 9,000 of 10,000 categories to occur."""

MILLION = 1_000_000


@pytest.fixture(scope="module")
def spark_pass(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pass]:
    with on_spark(2, MEMORY, tmp_path_factory.mktemp("spark")) as one:
        yield one


@needs_spark
def test_all_engines_agree(spark_pass: Pass, evidence: Evidence, tmp_path: Path) -> None:
    rounds = evidence.size(full=100, reduced=4)
    agreed = 0
    for seed in range(rounds):
        reference, window = random_pair(tmp_path / f"{seed}", seed, *SIZES[seed % len(SIZES)])
        agreed += assert_ways_agree(reference, window, tmp_path, spark_pass)
    if evidence.full:
        reference, window = random_pair(tmp_path / "many", rounds, *MANY_LEVELS)
        agreed += assert_ways_agree(reference, window, tmp_path, spark_pass)
        agreed += assert_ways_agree(*_one_in_a_million(tmp_path), tmp_path, spark_pass, roles=TableRoles("score"))
    evidence.record(
        "57-three-engines",
        claim=f"{rounds + 2} random tables and windows, overall and in 3 segments, with 27 "
        "columns (single, double and half precision, integers up to 2^63, flags, decimals of 9 to 38 digits, "
        "texts, codes, 10,000 categories; all missing, constant, infinite, one value in a million; no row, one row; "
        "columns that a file lacks): counts by Arrow's kernel, by Spark, by DuckDB's SQL and by a plain oracle",
        value=f"{agreed:,} counts, all the same",
        bound="exactly the same",
        holds=True,
    )


def _one_in_a_million(folder: Path) -> tuple[Table, Table]:
    """Return a reference in which one value of a million differs, and a window in which half of them do."""
    flags = np.zeros(MILLION, dtype=np.float32)
    flags[MILLION // 3] = 1e9
    reference = pa.table({"score": np.arange(MILLION) % 400, "flag": flags})
    window = pa.table({"score": np.arange(1000), "flag": np.float32([0, 1e9] * 500)})
    found = []
    for name, table in (("reference", reference), ("window", window)):
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=300_000)
        found.append((folder / f"{name}.parquet", table))
    return found[0], found[1]
