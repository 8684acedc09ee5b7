"""Every customer is found where the row lies, and nobody else."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.book.index import CustomerIndex, write_index
from pipelines.book.rows import RowFile, renew_rows, rows_path


def buckets_of(ids: pa.Array, folder: Path, sizes: list[int]) -> list[Path]:
    paths = []
    for number, size in enumerate(sizes):
        rows = ids.slice(sum(sizes[:number]), size)
        values = np.arange(len(rows))
        columns = {
            "customer_id": rows,
            "observed_at": values,
            "whole": values * 2**40,
            "part": values / 3,
            "sex": pa.repeat("m", len(rows)),
        }
        table = pa.table(columns | {"gap": pa.array(np.where(values % 2, np.nan, values))})
        paths.append(folder / f"bucket-{number:05d}.parquet")
        pq.write_table(table, paths[-1], row_group_size=7)
        renew_rows(paths[-1])
    return paths


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("at_once", [10, 10**6])
def test_each_is_found(text: bool, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.book.index.KEYS_AT_ONCE", at_once)
    drawn = np.random.default_rng(0).permutation(np.arange(-100, 200) * 2**54)
    ids = pa.array([f"é{one}" for one in drawn.tolist()] if text else drawn)
    paths = buckets_of(ids, tmp_path, [1, 0, 200, 99])
    assert write_index(tmp_path) == len(CustomerIndex(tmp_path)) == 300
    index = CustomerIndex(tmp_path)
    for number, path in enumerate(paths):
        for row, one in enumerate(pq.read_table(path)["customer_id"].to_pylist()):
            assert index.positions(one) == [(number, row)]
            customer, numbers = RowFile(rows_path(path)).read(row)
            gap = np.nan if row % 2 else float(row)
            assert customer == one
            assert repr(numbers) == repr({"whole": row * 2**40, "part": row / 3, "gap": gap})
    assert index.positions("nobody" if text else 12345) == []
    assert {path.name for path in tmp_path.iterdir()} == {*(path.name for path in paths), "_index.npy", "_rows"}


def test_an_index_is_written_anew(tmp_path: Path) -> None:
    buckets_of(pa.array([5, 6, 7]), tmp_path, [3])
    write_index(tmp_path)
    open_before = CustomerIndex(tmp_path)
    buckets_of(pa.array([5, 7]), tmp_path, [2])
    assert write_index(tmp_path) == 2
    assert (open_before.positions(7), CustomerIndex(tmp_path).positions(7)) == ([(0, 2)], [(0, 1)])
    assert CustomerIndex(tmp_path).positions(6) == []


def test_in_a_book_of_nobody_nobody_is_found(tmp_path: Path) -> None:
    buckets_of(pa.array([], pa.int64()), tmp_path, [0])
    assert write_index(tmp_path) == len(CustomerIndex(tmp_path)) == 0
    assert CustomerIndex(tmp_path).positions(1) == []
