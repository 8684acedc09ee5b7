"""Immature rows of flat tables are cut by their window, and a bad rate that falls with recency is named."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.applications.applications import Applications, load_applications
from pipelines.applications.maturity import possible_immaturity
from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import ConfigurationError, DataError
from pipelines.storage.workspace import Workspace

ROWS = 4000
AS_OF = pd.Timestamp("2026-06-30")


def loans(seed: int, window: int = 365) -> pd.DataFrame:
    """Return loans of two years until AS_OF, a fifth of which turn bad some day of their window; later ones not yet."""
    generator = np.random.default_rng(seed)
    applied = AS_OF - pd.to_timedelta(generator.integers(0, 730, ROWS), "D")
    turns_bad, after = generator.random(ROWS) < 0.2, generator.integers(1, window, ROWS)
    seen = turns_bad & (applied + pd.to_timedelta(after, "D") <= AS_OF)
    return pd.DataFrame({"id": range(ROWS), "applied_at": applied, "x": generator.normal(size=ROWS), "bad": seen * 1})


def loaded(table: pd.DataFrame, folder: Path, **settings: Any) -> Applications:
    table.to_csv(folder / "loans.csv", index=False)
    roles = {"id": "id", "label": "bad", "time": "applied_at"} | settings
    data = DataSettings(source=Source.table, path=str(folder / "loans.csv"), **roles)
    return load_applications(data, Workspace.at(str(folder / "workspace")))


@pytest.mark.parametrize("seed", range(8))
def test_a_bad_rate_that_falls_with_recency_is_possible_immaturity(seed: int) -> None:
    table = loans(seed)
    sign = possible_immaturity(table["applied_at"].to_numpy("datetime64[us]"), table["bad"].to_numpy(np.int8))
    assert sign is not None
    assert sign.startswith("possible immaturity: the bad rate falls from 1")
    assert "set data.performance_months" in sign


def test_a_level_or_rising_bad_rate_is_none() -> None:
    for seed in range(60):
        generator = np.random.default_rng(seed)
        times = np.datetime64("2024-01-01", "us") + generator.integers(0, 730, 2000) * np.timedelta64(1, "D")
        level = generator.binomial(1, 0.1, 2000).astype(np.int8)
        assert possible_immaturity(times, level) is None
        rising = generator.binomial(1, 0.05 + 0.1 * (times > np.datetime64("2025-06-01"))).astype(np.int8)
        assert possible_immaturity(times, rising) is None
    assert possible_immaturity(np.full(10, np.datetime64("2024-01-01", "us")), np.ones(10, np.int8)) is None


@pytest.mark.parametrize("seed", range(4))
def test_the_window_cuts_immature_rows_and_the_sign_is_gone(seed: int, tmp_path: Path) -> None:
    table = loans(seed)
    assert loaded(table, tmp_path).possible_immaturity is not None
    rows = loaded(table, tmp_path, performance_months=12)
    latest = table["applied_at"].max()
    mature = table[table["applied_at"] + pd.DateOffset(months=12) <= latest]
    assert rows.ids.tolist() == mature["id"].astype(str).tolist()
    assert rows.immature == ROWS - len(mature)
    assert rows.outcome_known_at is not None
    known_at = mature["applied_at"] + pd.DateOffset(months=12)
    np.testing.assert_array_equal(rows.outcome_known_at, known_at.to_numpy("datetime64[us]"))
    assert rows.possible_immaturity is None
    assert abs(rows.outcomes.mean() - 0.2) < 0.04


def test_rows_without_an_outcome_yet_are_immature_and_not_broken(tmp_path: Path) -> None:
    table = loans(1)
    table["bad"] = table["bad"].astype(float).where(table["applied_at"] < "2025-07-01")
    assert table["bad"].isna().mean() > 0.3
    rows = loaded(table, tmp_path, performance_months=12)
    assert rows.quarantined == {}
    with pytest.raises(DataError, match="'bad' is missing"):
        loaded(table, tmp_path)


def test_the_date_of_the_extract_matures_more_rows(tmp_path: Path) -> None:
    table = loans(2)
    later = loaded(table, tmp_path, performance_months=12, as_of="2026-12-31")
    expected = table["applied_at"] + pd.DateOffset(months=12) <= pd.Timestamp("2026-12-31")
    assert len(later) == expected.sum()


def test_declared_outcome_dates_are_kept(tmp_path: Path) -> None:
    table = loans(3).assign(known=AS_OF + pd.Timedelta(5, "D"))
    rows = loaded(table, tmp_path, performance_months=12, outcome_known_at="known")
    assert rows.outcome_known_at is not None
    assert set(rows.outcome_known_at) == {np.datetime64("2026-07-05")}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"performance_months": 0}, "data.performance_months is 0; set at least 1"),
        ({"performance_months": 6, "time": None}, "performance_months is set without data.time; add data.time=COLUMN"),
        ({"performance_months": 6, "as_of": "June"}, "data.as_of is 'June'; write an ISO date"),
        ({"as_of": "2026-06-30"}, "data.as_of is set without data.performance_months"),
    ],
)
def test_a_window_that_cannot_be_used_is_told(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=message):
        loaded(loans(0), tmp_path, **settings)


def test_a_window_longer_than_the_history_is_told_with_numbers(tmp_path: Path) -> None:
    message = r"no application is 36 months old on 2026-06-\d\d \(the first is of 2024-0\d-\d\d\); lower data.perf"
    with pytest.raises(DataError, match=message):
        loaded(loans(0), tmp_path, performance_months=36)
