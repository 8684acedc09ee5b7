"""Gaps that another column explains are learnt from a reference and expected from its counts."""

import numpy as np
import pandas as pd
import pytest

from pipelines.credit.population import Population
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import ReferenceProfile


def people(rows: int, seed: int, newcomers: float = 0.1) -> pd.DataFrame:
    """Return people, of whom newcomers have no last order, and those without recent orders no mean."""
    generator = np.random.default_rng(seed)
    is_new = generator.random(rows) < newcomers
    orders = np.where(is_new, 0, generator.poisson(1.5, rows)).astype(float)
    return pd.DataFrame(
        {
            "days_here": np.where(is_new, generator.uniform(0, 20, rows), generator.uniform(20, 900, rows)),
            "orders": orders,
            "mean_order": np.where(orders > 0, generator.lognormal(3, 1, rows), np.nan),
            "last_order": np.where(is_new, np.nan, generator.exponential(60, rows)),
            "income": np.where(generator.random(rows) < 0.2, np.nan, generator.lognormal(8, 1, rows)),
            "kind": np.where(is_new, "new", "old").astype(object),
        }
    )


def profile(rows: pd.DataFrame) -> ReferenceProfile:
    points = np.random.default_rng(0).integers(400, 700, len(rows))
    numeric = [str(name) for name in rows.select_dtypes("number")]
    return profile_of(points, points / 1000, rows, numeric, Population.applications)


REFERENCE = profile(people(5000, 1))


def test_what_explains_gaps_is_found_and_chance_is_not() -> None:
    learnt = {column: [one.other for one in others] for column, others in REFERENCE.missing_given.items()}
    assert set(learnt) == {"mean_order", "last_order"}
    assert learnt["mean_order"][0] == "orders"
    assert set(learnt["last_order"]) >= {"kind", "days_here"}


@pytest.mark.parametrize("newcomers", [0.02, 0.1, 0.5])
def test_gaps_are_expected_from_counts_alone(newcomers: float) -> None:
    rows = people(20_000, 2, newcomers)
    for column, others in REFERENCE.missing_given.items():
        best = others[0]
        bins = next(one for one in REFERENCE.bins if one.column == best.other)
        gaps = best.gaps(bins.count(rows[best.other].to_numpy()))
        assert gaps.rest_of(rows[column].isna().mean()) == pytest.approx(gaps.rest, abs=0.02)
        assert gaps.missing + gaps.rest * (1 - gaps.share) == pytest.approx(rows[column].isna().mean(), abs=0.01)


def test_what_is_learnt_survives_its_text() -> None:
    assert ReferenceProfile.from_json(REFERENCE.to_json()).missing_given == REFERENCE.missing_given


def test_the_place_of_each_value_is_the_bin_that_counts_it() -> None:
    rows = people(3000, 3).assign(kind="unheard of")
    for bins in REFERENCE.bins[1:]:
        values = rows[bins.column].to_numpy()
        assert (np.bincount(bins.places(values), minlength=len(bins.labels)) == bins.count(values)).all()
