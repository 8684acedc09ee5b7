"""Values outside all that the reference has are named from 1% on; people who change are not."""

import numpy as np
import pandas as pd
import pytest

from monitoring.faults.fault import Fault
from monitoring.faults.observed import Observed
from monitoring.faults.outside_reference import OUTSIDE_REFERENCE
from monitoring.faults.search import find_faults
from pipelines.credit.population import Population
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import SCORE, ReferenceProfile

SEEDS = range(3)
COLUMNS = ("income", "rounded", "balance", "orders", "rating", "spent", "share")


def draw(rows: int, seed: int, shift: float = 0.0, months: int = 24) -> pd.DataFrame:
    """Return columns of the usual shapes, moved by `shift` standard deviations; accounts are up to `months` old."""
    generator = np.random.default_rng(seed)
    normal = generator.normal(shift, size=(rows, 7))
    return pd.DataFrame(
        {
            "income": np.exp(7.5 + 0.6 * normal[:, 0]).round(2),
            "rounded": np.exp(7.5 + 0.6 * normal[:, 1]).round(-2) + 100,
            "balance": (300 * normal[:, 2]).round(2),
            "orders": 1.0 + generator.poisson(np.exp(0.3 + 0.5 * shift), rows),
            "rating": (3 + normal[:, 3]).round().clip(1, 5),
            "spent": np.where(normal[:, 4] < 0.3, 0.0, np.exp(5 + normal[:, 5])),
            "share": 1 / (1 + np.exp(-normal[:, 6])),
            "months": np.floor(months * generator.random(rows)),
        }
    )


def profile(features: pd.DataFrame) -> ReferenceProfile:
    points = np.random.default_rng(0).integers(400, 800, len(features))
    return profile_of(points, points / 1000, features, list(features), Population.applications)


REFERENCE = profile(draw(3000, seed=99))


def window(features: pd.DataFrame, period: str, reference: ReferenceProfile = REFERENCE) -> Observed:
    points = np.random.default_rng(1).integers(400, 800, len(features)).astype(float)
    values = {name: features[name].to_numpy() for name in features} | {SCORE: points}
    return Observed(period, len(features), {one.column: one.count(values[one.column]) for one in reference.bins})


def faults(features: pd.DataFrame, reference: ReferenceProfile = REFERENCE) -> list[Fault]:
    return find_faults(reference, window(features, "2026-10", reference), features.head(5000))


def of_column(found: list[Fault], column: str) -> list[Fault]:
    return [one for one in found if (one.kind, one.column) == (OUTSIDE_REFERENCE, column)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rows", [600, 6000])
@pytest.mark.parametrize("part", [0.0125, 0.03, 0.1])
@pytest.mark.parametrize("code", [-9999.0, 9_999_999.0, np.inf, -np.inf])
def test_a_code_is_named_with_its_value_and_share(code: float, part: float, rows: int, seed: int) -> None:
    features = draw(rows, seed, shift=0.1)
    hit = np.random.default_rng(seed).permutation(rows)[: round(part * rows)]
    for column in COLUMNS:
        (fault,) = of_column(
            faults(features.assign(**{column: features[column].mask(features.index.isin(hit), code)})), column
        )
        text = {np.inf: "infinite", -np.inf: "minus infinite"}.get(code, f"{code:,.7g}")
        shown, share = fault.seen.split(" is ", 1)[1].split(" of ", 1)[0].split(" in ")
        assert shown == text
        assert float(share.rstrip("%")) == pytest.approx(100 * len(hit) / rows, abs=0.6)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("column", ["income", "rounded", "orders", "rating"])
def test_zero_is_a_code_where_the_reference_has_none(column: str, seed: int) -> None:
    features = draw(3000, seed)
    features.loc[:150, column] = 0.0
    (fault,) = of_column(faults(features), column)
    assert "is 0 in 5.0% of 3,000 rows" in fault.seen


@pytest.mark.parametrize("seed", SEEDS)
def test_two_codes_are_both_named(seed: int) -> None:
    features = draw(3000, seed)
    features.loc[:299, "income"], features.loc[300:449, "income"] = -999.0, -998.0
    (fault,) = of_column(faults(features), "income")
    assert "is -999 in 10.0% and -998 in 5.0% of 3,000 rows" in fault.seen


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("column", ["income", "balance", "spent"])
def test_a_far_tail_is_named_with_its_end_and_share(column: str, seed: int) -> None:
    features = draw(3000, seed)
    factor = np.random.default_rng(seed).uniform(300, 3000, 60)
    features.loc[:59, column] = (features.loc[:59, column].abs() + 100) * factor
    (fault,) = of_column(faults(features), column)
    assert " is above " in fault.seen
    share = float(fault.seen.split("%")[0].split()[-1])
    assert share == pytest.approx(2.0, abs=0.3)  # others may be above the reference's highest value too


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shift", [-0.8, -0.4, 0.0, 0.4, 0.8])
@pytest.mark.parametrize("rows", [200, 3000, 20_000])
def test_people_who_change_are_none(rows: int, shift: float, seed: int) -> None:
    assert faults(draw(rows, 10 + seed, shift, months=25)) == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rows", [60, 300])
def test_the_ends_of_a_small_reference_are_no_limits(rows: int, seed: int) -> None:
    small = profile(draw(rows, 50 + seed))
    assert not any(one.kind == OUTSIDE_REFERENCE for one in faults(draw(5000, 10 + seed, 0.4), small))


@pytest.mark.parametrize("seed", SEEDS)
def test_fewer_than_one_percent_and_a_code_that_the_reference_has_are_none(seed: int) -> None:
    features = draw(3000, seed)
    features.loc[:20, "income"] = -999.0
    assert faults(features) == []
    features.loc[:300, "income"] = -999.0
    assert not of_column(faults(features, profile(features)), "income")


def test_a_code_that_came_up_step_by_step_is_none() -> None:
    def coded(part: float) -> pd.DataFrame:
        features = draw(3000, 3)
        features.loc[: int(3000 * part), "income"] = -999.0
        return features

    earlier = [window(coded(part), f"2026-0{month}") for month, part in ((6, 0.03), (7, 0.05), (8, 0.08))]
    now = coded(0.1)
    assert find_faults(REFERENCE, window(now, "2026-10"), now, earlier) == []
    assert of_column(faults(now), "income")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("part", [0.04, 0.3, 1.0])
def test_amounts_with_the_other_sign_are_named(seed: int, part: float) -> None:
    for column in ("income", "spent"):
        features = draw(3000, seed)
        turned = np.random.default_rng(seed).random(3000) < part
        features[column] = np.where(turned, -features[column], features[column])
        (fault,) = of_column(faults(features), column)
        assert "sign is turned" in fault.cause


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drift_through_zero_is_none(seed: int) -> None:
    generator = np.random.default_rng(seed)
    before, now = (pd.DataFrame({"margin": generator.normal(mean, 1, 3000)}) for mean in (4.2, 3.0))
    before = before[before["margin"] > 0]
    reference = profile(before)
    assert of_column(faults(now, reference), "margin") == []
