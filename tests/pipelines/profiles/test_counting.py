"""The kernel on threads and DuckDB's SQL count what a plain oracle counts."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import DataError
from pipelines.profiles.counting import Counted, count_table
from pipelines.profiles.dimensions import Dimension
from pipelines.profiles.freezing import Frozen, freeze_bins
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.passes import on_threads, open_table
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.sql import count_in_duckdb
from tests.pipelines.profiles.random_tables import ROLES
from tests.pipelines.profiles.ways import assert_ways_agree, random_pair


@pytest.mark.parametrize(
    ("seed", "reference", "rows"), [(0, 500, 300), (1, 500, 0), (2, 500, 1), (3, 1, 30), (4, 0, 5)]
)
def test_all_ways_agree_on_random_tables(seed: int, reference: int, rows: int, tmp_path: Path) -> None:
    assert assert_ways_agree(*random_pair(tmp_path, seed, reference, rows), tmp_path) > 200


def frozen(reference: pa.Table, folder: Path, roles: TableRoles = ROLES, **options: int) -> Frozen:
    pq.write_table(reference, folder / "reference.parquet")
    return freeze_bins(open_table(folder / "reference.parquet"), roles, on_threads(2), **options)


def counted(window: pa.Table, bins: tuple[FrozenBins, ...], folder: Path, roles: TableRoles = ROLES) -> Counted:
    pq.write_table(window, folder / "window.parquet")
    return count_table(open_table(folder / "window.parquet"), bins, roles, on_threads(2), most_sampled=100)


SCORED = TableRoles("score")
BY_ID = TableRoles("score", segments=(Dimension("id"),))


def test_a_column_that_is_gone_is_missing_in_every_row_and_one_that_is_new_is_told(tmp_path: Path) -> None:
    reference = pa.table({"score": [600, 610] * 50, "income": [1.0, 2.0] * 50})
    window = pa.table({"score": [600, 610], "other": [1, 2]})
    found = counted(window, frozen(reference, tmp_path, SCORED).bins, tmp_path, SCORED)
    assert found.profile.overall.columns["income"].tolist()[0] == 2
    assert (found.absent, found.unknown) == (("income",), ("other",))


def test_the_sample_is_bounded_and_holds_rows_of_the_table(tmp_path: Path) -> None:
    rows = pa.table({"score": np.arange(5000), "text": [f"t{row}" for row in range(5000)]})
    bins = (FrozenBins.of_numbers("points", np.arange(5000.0)),)
    roles = TableRoles("score", ignored=())
    sample = counted(rows, bins, tmp_path, roles).sample
    assert len(sample) == 100
    assert len(set(sample["score"].to_pylist())) == 100


def test_a_value_rarer_than_the_sample_sees_is_news_when_it_gets_frequent(tmp_path: Path) -> None:
    flags = np.zeros(100_000)
    flags[77] = 1.0
    reference = pa.table({"score": np.arange(100_000) % 300, "flag": flags})
    bins = frozen(reference, tmp_path, SCORED, most_sampled=1000).bins
    flag = next(one for one in bins if one.column == "flag")
    assert flag.comparable(flag.count(np.ones(10)))[1].tolist()[-1] == 10


@pytest.mark.parametrize(
    ("window", "roles", "told"),
    [
        ({"score": [1.0], "income": ["1"]}, SCORED, "column 'income' has numbers in the reference, and in"),
        ({"score": [1.0], "grade": [1.5]}, SCORED, "column 'grade' of categorical has"),
        ({"points": [1.0]}, SCORED, "score is 'score', which is not a column of the table"),
        ({"score": ["high"]}, SCORED, "score is 'score', which has levels; name a column of numbers"),
        ({"score": [1.0], "grade": [[1]]}, SCORED, "column 'grade' of categorical has"),
        (
            {"score": [1.0] * 201, "id": [str(n) for n in range(201)]},
            BY_ID,
            "more than 200",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    window: dict[str, list[object]], roles: TableRoles, told: str, tmp_path: Path
) -> None:
    reference = pa.table({"score": [1.0] * 40, "income": [1.0] * 40, "grade": ["a"] * 40})
    bins = frozen(reference, tmp_path, SCORED).bins
    with pytest.raises(DataError, match=told):
        counted(pa.table(window), bins, tmp_path, roles)


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no Parquet file"):
        open_table(tmp_path)


def test_columns_that_duckdb_takes_for_one_are_refused_there(tmp_path: Path) -> None:
    pq.write_table(pa.table({"points": [1], "Income": [1.0], "income": [2.0]}), tmp_path / "scored.parquet")
    bins = tuple(FrozenBins.of_numbers(name, np.arange(40.0)) for name in ("points", "Income", "income"))
    table = open_table(tmp_path / "scored.parquet")
    with pytest.raises(DataError, match="has Income and income; rename one"):
        count_in_duckdb(table, bins, TableRoles(), threads=1, memory="200MB", scratch=tmp_path)
    assert count_table(table, bins, TableRoles(), on_threads(1)).profile.overall.rows == 1


def test_columns_may_be_called_as_sql_calls_its_own(tmp_path: Path) -> None:
    names = ("points", "s", "v", "x", "select", 'a "b"')
    pq.write_table(pa.table({name: [1.0, 2.0] for name in names}), tmp_path / "scored.parquet")
    bins = tuple(FrozenBins.of_numbers(name, np.ones(40)) for name in names)
    table = open_table(tmp_path / "scored.parquet")
    found = count_in_duckdb(table, bins, TableRoles(), threads=1, memory="200MB", scratch=tmp_path).profile.overall
    assert [counts.tolist() for counts in found.columns.values()] == [[0, 0, 1, 1]] * len(names)
