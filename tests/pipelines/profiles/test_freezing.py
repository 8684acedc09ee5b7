"""Bins of a table that is sampled whole are those of a profile; of a larger one they hold about equal shares."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.credit.population import Population
from pipelines.errors import DataError
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.freezing import MOST_LEVELS, freeze_bins
from pipelines.profiles.passes import on_threads, open_table
from pipelines.profiles.roles import TableRoles


def features(rows: int) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "income": generator.lognormal(size=rows),
            "loans": generator.poisson(0.3, rows).astype(float),
            "channel": generator.choice(["web", "shop", None], rows, p=[0.6, 0.399, 0.001]),
        }
    )


def write(table: pd.DataFrame, path: Path) -> Path:
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path, row_group_size=70_000)
    return path


def test_bins_of_a_table_are_those_of_the_reference_profile(tmp_path: Path) -> None:
    points, table = np.random.default_rng(1).normal(600, 50, 30_000).astype(int), features(30_000)
    path = write(table.assign(points=points), tmp_path / "scored.parquet")
    told = profile_of(points, np.zeros(30_000), table, ["income", "loans"], Population.applications)
    frozen = freeze_bins(open_table(path), TableRoles(), on_threads(2))
    assert {one.column: one for one in frozen.bins} == {one.column: one for one in told.bins}


def test_bins_from_a_sample_hold_about_equal_shares_of_all_rows(tmp_path: Path) -> None:
    table = features(300_000)
    path = write(table.assign(points=table["income"]), tmp_path / "scored.parquet")
    frozen = freeze_bins(open_table(path), TableRoles(), on_threads(2), most_sampled=50_000)
    income = next(one for one in frozen.bins if one.column == "income")
    counts = income.count(table["income"].to_numpy())
    assert (income.lowest, income.highest) == (table["income"].min(), table["income"].max())
    assert counts[[0, 1, -1]].tolist() == [0, 0, 0]
    assert np.abs(counts[2:-1] / len(table) - 0.1).max() < 0.006  # five standard errors of a sampled quantile
    assert len(frozen.sample) == 50_000


def test_names_of_rows_dates_and_lists_are_left_out_and_told(tmp_path: Path) -> None:
    rows = MOST_LEVELS + 1
    table = pd.DataFrame({"points": np.arange(rows), "id": [f"a{row}" for row in range(rows)]})
    table = table.assign(day=pd.Timestamp("2026-01-01"), nothing=None, many=[[1]] * rows)
    frozen = freeze_bins(open_table(write(table, tmp_path / "scored.parquet")), TableRoles(), on_threads(2))
    assert [one.column for one in frozen.bins] == ["points"]
    assert set(frozen.left_out) == {"id", "day", "nothing", "many"}


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([1]), pa.array([2])], ["points", "income", "income"])
    pq.write_table(table, tmp_path / "scored.parquet")
    with pytest.raises(DataError, match="more than one column 'income'"):
        freeze_bins(open_table(tmp_path / "scored.parquet"), TableRoles(), on_threads(1))
