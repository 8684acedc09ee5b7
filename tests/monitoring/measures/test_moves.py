"""Drift that is there is found, whatever an equal-width histogram would hide; noise stays quiet."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from monitoring.thresholds.thresholds import Level
from pipelines.credit.population import Population
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import SCORE, ReferenceProfile
from tests.monitoring.measures.comparing import moved, moves_of

ROWS = 5000
GENERATOR = np.random.default_rng(0)
INCOME = np.exp(GENERATOR.normal(10, 1, ROWS))
POINTS = GENERATOR.integers(400, 800, ROWS)
PD = np.full(ROWS, 0.1)


@pytest.fixture(scope="module")
def profile() -> ReferenceProfile:
    features = pd.DataFrame(
        {"income": INCOME, "constant": 1.0, "empty": np.nan, "channel": ["app", "web"] * (ROWS // 2)}
    )
    return profile_of(POINTS, PD, features, ["income", "constant", "empty"], Population.applications)


def window(**changed: NDArray[np.float64] | list[str]) -> dict[str, NDArray]:  # type: ignore[type-arg]
    generator = np.random.default_rng(1)
    usual = {
        SCORE: generator.integers(400, 800, ROWS).astype(float),
        "income": np.exp(generator.normal(10, 1, ROWS)),
        "constant": np.ones(ROWS),
        "empty": np.full(ROWS, np.nan),
        "channel": np.array(["app", "web"] * (ROWS // 2), dtype=object),
    }
    return usual | {name: np.asarray(values) for name, values in changed.items()}


def shifted(by: float) -> NDArray[np.float64]:
    return np.exp(np.random.default_rng(2).normal(10 + by, 1, ROWS))


def test_a_month_like_the_reference_is_stable(profile: ReferenceProfile) -> None:
    moves = moves_of(profile, window())
    assert {one.judgement.level for one in moves} == {Level.QUIET}
    assert all(one.judgement.psi < 0.02 for one in moves)


def test_half_a_deviation_is_found_and_one_huge_value_does_not_hide_it(profile: ReferenceProfile) -> None:
    with_outlier = shifted(0.5)
    with_outlier[0] = 1e9
    assert moved(profile, window(income=shifted(0.5))) == {"income"}
    assert moved(profile, window(income=with_outlier)) == {"income"}
    # FACTS: PSI 0.233 on reference deciles for half a deviation of lognormal incomes
    (move,) = [one for one in moves_of(profile, window(income=with_outlier)) if one.column == "income"]
    assert move.judgement.psi == pytest.approx(0.233, abs=0.05)


def test_one_huge_value_alone_is_no_drift(profile: ReferenceProfile) -> None:
    income = shifted(0)
    income[0] = 1e9
    assert moved(profile, window(income=income)) == set()


def test_values_that_go_missing_are_found(profile: ReferenceProfile) -> None:
    gone = shifted(0)
    gone[: int(0.95 * ROWS)] = np.nan
    assert moved(profile, window(income=gone)) == {"income"}


def test_columns_that_fill_up_change_their_constant_or_meet_new_levels_are_found(profile: ReferenceProfile) -> None:
    assert moved(profile, window(empty=shifted(0))) == {"empty"}
    assert moved(profile, window(constant=np.where(np.arange(ROWS) % 2, 1.0, 2.0))) == {"constant"}
    assert moved(profile, window(channel=["kiosk", "web"] * (ROWS // 2))) == {"channel"}


@pytest.mark.parametrize("usual", [0.0, 1.0, 5.0])
def test_a_rare_value_that_becomes_frequent_is_found(usual: float) -> None:
    # nine in ten rows share one value, at the bottom, in the middle or at the top of the column's range
    generator = np.random.default_rng(3)
    rare, frequent = (np.where(generator.random(ROWS) < share, 1.0 + (usual == 1.0), usual) for share in (0.05, 0.3))
    sides = np.where(np.arange(ROWS) % 50 == 0, 0.0, rare)
    reference = profile_of(POINTS, PD, pd.DataFrame({"flag": sides}), ["flag"], Population.applications)
    found = {SCORE: window()[SCORE], "flag": np.where(np.arange(ROWS) % 50 == 0, 0.0, frequent)}
    assert moved(reference, found) == {"flag"}


def test_the_limit_widens_with_few_rows_and_the_business_floor_holds_with_many(profile: ReferenceProfile) -> None:
    few = {name: values[:60] for name, values in window().items()}
    limits = {one.column: one.judgement.limit for one in moves_of(profile, few)}
    assert limits["income"] > 0.3
    assert all(one.judgement.limit < 0.11 for one in moves_of(profile, window()))
