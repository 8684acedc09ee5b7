"""A sample of a table is bounded, and holds no more of it than its own rows."""

import numpy as np
import pyarrow as pa
import pytest

from pipelines.profiles.passes import PartOfTable
from pipelines.profiles.sampling import SampledRows, sample_rows
from pipelines.storage.parquet_parts import Part

ROWS = 10_000


def part(first: int) -> PartOfTable:
    return PartOfTable(Part("part", "file", (0,), 0, ROWS, 0, ""), first)


def rows() -> pa.Table:
    return pa.table({"points": np.arange(ROWS), "coded": pa.array(["a", "b"] * (ROWS // 2)).dictionary_encode()})


@pytest.mark.parametrize("numbers", [[], [3, ROWS + 5]])
def test_a_part_is_let_go_of_once_its_rows_are_sampled(numbers: list[int]) -> None:
    kept = SampledRows(np.array(numbers, dtype=np.int64)).of_part(part(0), rows())
    assert len(kept) == len([number for number in numbers if number < ROWS])
    assert kept.get_total_buffer_size() < 1000


def test_each_row_is_sampled_in_the_part_that_holds_it() -> None:
    sample = sample_rows(3 * ROWS, 300)
    found = [sample.of_part(part(first), rows())["points"].to_numpy() + first for first in (0, ROWS, 2 * ROWS)]
    assert sample.numbers is not None
    assert np.concatenate(found).tolist() == sample.numbers.tolist()
    assert len(set(sample.numbers.tolist())) == 300
