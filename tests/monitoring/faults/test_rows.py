"""Faults of a window's rows: repeated, set aside, lacking, delivered before."""

import numpy as np
import pandas as pd
import pytest

from monitoring.faults.duplicates import repeated_share
from monitoring.faults.observed import Intake, Observed
from monitoring.faults.search import find_faults
from tests.monitoring.faults.tables import REFERENCE, draw, kinds, observed

WELL = {f"2025-{month:02}": rows for month, rows in enumerate([5200, 4900, 5100, 6000, 5500, 5000], start=5)}


def rows_of(
    rows: int, repeated: float | None = None, intake: Intake | None = None, period: str = "2026-10"
) -> Observed:
    return Observed(period, rows, {}, intake, repeated)


def found(window: Observed, *earlier: Observed) -> list[tuple[str, str | None]]:
    window = Observed(window.period, window.rows, observed(draw(500)).counts, window.intake, window.repeated)
    return kinds(find_faults(REFERENCE, window, pd.DataFrame(), earlier))


def test_repeated_rows_are_counted_by_those_that_are_one_person_s() -> None:
    features = draw(5000)
    twice = pd.concat([features, features[:1000]], ignore_index=True)
    assert repeated_share(features, 5000) == 0
    assert repeated_share(twice, 6000) == pytest.approx(1000 / 6000, abs=0.01)


def test_repeated_rows_are_found_in_a_sample() -> None:
    # given 20 copies in 100 rows, half of the rows kept: of a copied row both are kept half as often
    features = draw(40_000)
    twice = pd.concat([features, features[:10_000]], ignore_index=True).sample(25_000, random_state=1)
    assert repeated_share(twice, 50_000) == pytest.approx(0.2, abs=0.02)


def test_people_without_a_history_are_no_duplicates() -> None:
    features = draw(5000)
    features.loc[:2500, ["income", "age", "fee", "orders", "is_new"]] = [np.nan, 18, 0, 0, 1]
    features.loc[:2500, "amount"] = 10_000
    assert repeated_share(features, 5000) == 0


def test_where_no_number_is_one_person_s_nothing_is_said() -> None:
    assert repeated_share(draw()[["orders", "is_new", "city"]], 5000) is None
    assert repeated_share(pd.DataFrame(), 0) is None


def test_duplicates_beyond_earlier_ones_are_a_fault() -> None:
    assert found(rows_of(5000, 0.2)) == [("duplicates", None)]
    assert found(rows_of(5000, 0.02), rows_of(5000, 0.02, period="2026-09")) == []
    assert found(rows_of(5000, 0.2), rows_of(5000, 0.18, period="2026-09")) == []


def test_more_quarantined_rows_are_a_fault_that_names_the_rule() -> None:
    well = [rows_of(5000, intake=Intake(5000, {"amount < 0": 20}), period=f"2026-0{month}") for month in (7, 8, 9)]
    window = rows_of(5000, intake=Intake(5300, {"amount < 0": 25, "no such city": 275}))
    assert found(window, *well) == [("more rows quarantined", None)]
    (fault,) = find_faults(REFERENCE, window, pd.DataFrame(), well)[len(REFERENCE.bins) :]
    assert "'no such city' (275 rows)" in fault.seen
    assert found(rows_of(5000, intake=Intake(5030, {"amount < 0": 30})), *well) == []


def test_repeated_ids_are_duplicates() -> None:
    window = rows_of(5000, intake=Intake(6000, {"application_id repeats": 1000}))
    assert found(window) == [("duplicates", None)]


def earlier_rows() -> list[Observed]:
    return [rows_of(rows, period=period) for period, rows in WELL.items()]


def test_far_fewer_rows_are_a_fault() -> None:
    assert found(rows_of(1000), *earlier_rows()) == [("volume fallen", None)]
    assert found(rows_of(4100), *earlier_rows()) == []
    assert found(rows_of(600), *earlier_rows()[:2]) == [("volume fallen", None)]
    assert found(rows_of(1500), *earlier_rows()[:2]) == []  # two periods do not say how much they vary


def test_a_season_of_few_rows_is_no_fault() -> None:
    assert found(rows_of(1000), rows_of(1100, period="2025-10"), *earlier_rows()) == []


def test_rows_that_always_varied_may_be_few() -> None:
    wild = [
        rows_of(rows, period=f"2026-0{month}") for month, rows in enumerate([900, 8000, 2000, 5000, 400, 6000], start=1)
    ]
    assert found(rows_of(1000), *wild) == []


def test_the_same_data_again_are_stale() -> None:
    features = draw(3000)
    files = Intake(3000, fingerprints=frozenset({"abc"}))
    before, now = observed(features, "2026-09", files), observed(features, "2026-10", files)
    stale = find_faults(REFERENCE, now, features, [before])
    assert kinds(stale) == [("stale data", None)]
    assert "same input files" in stale[0].seen
    other = observed(draw(3000, seed=5), "2026-10", files)  # one file may hold several periods
    assert find_faults(REFERENCE, other, draw(3000, seed=5), [before]) == []


def test_data_that_end_before_the_period_are_stale() -> None:
    assert found(rows_of(500, intake=Intake(500, last_month="2026-07"))) == [("stale data", None)]
    assert found(rows_of(500, intake=Intake(500, last_month="2026-09"))) == []
    assert found(rows_of(500, intake=Intake(500, last_month="2025-12"), period="2026-01")) == []
