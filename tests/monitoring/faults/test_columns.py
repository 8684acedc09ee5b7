"""Faults planted in a column are named, and nothing else is."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from monitoring.faults.observed import Observed
from monitoring.faults.search import find_faults
from tests.monitoring.faults.tables import REFERENCE, draw, faults_of, kinds, observed


def test_unchanged_features_have_no_fault() -> None:
    assert faults_of(draw()) == []
    assert faults_of(draw(), sample=False) == []


@pytest.mark.parametrize("column", ["amount", "income", "is_new", "city"])
@pytest.mark.parametrize("sample", [True, False])
def test_a_column_of_nothing_is_gone(column: str, sample: bool) -> None:
    features = draw()
    features[column] = np.nan if column != "city" else None
    found = faults_of(features, sample=sample)
    assert kinds(found) == [("column gone", column)]
    assert column in found[0].seen


def test_a_column_that_is_not_delivered_is_gone() -> None:
    features = draw().drop(columns="income")
    assert kinds(faults_of(features)) == [("column gone", "income")]


@pytest.mark.parametrize(("column", "part"), [("amount", 0.1), ("income", 0.6), ("city", 0.3), ("is_new", 0.95)])
def test_values_that_are_lost_are_missing(column: str, part: float) -> None:
    features = draw()
    features.loc[np.random.default_rng(1).random(len(features)) < part, column] = None
    assert kinds(faults_of(features)) == [("missing values risen", column)]


@pytest.mark.parametrize("column", ["amount", "income", "orders", "age", "fee"])
@pytest.mark.parametrize("factor", [0.01, 100, 1000, 1 / 12, 10, 60, 7, 86_400, 30.4])
def test_another_unit_is_named_with_its_factor(column: str, factor: float) -> None:
    features = draw()
    features[column] *= factor
    found = faults_of(features)
    assert kinds(found) == [("unit changed", column)]
    told = max(factor, 1 / factor)
    assert f"factor of {told:,g}" in found[0].cause


def test_a_share_in_percent_is_named() -> None:
    features = draw()
    features["is_new"] *= 100
    assert kinds(faults_of(features)) == [("unit changed", "is_new")]


def test_a_unit_that_changed_while_people_changed_is_named_too() -> None:
    features = draw()
    features["amount"] *= 100 * np.random.default_rng(2).lognormal(0.15, 0.2, len(features))
    found = faults_of(features)
    assert kinds(found) == [("unit changed", "amount")]
    assert "factor of 100" in found[0].cause


def test_another_currency_is_a_unit_without_a_known_factor() -> None:
    features = draw()
    features["amount"] *= 190
    found = faults_of(features)
    assert kinds(found) == [("unit changed", "amount")]
    assert "currency" in found[0].cause


def test_a_unit_is_told_by_counts_alone_where_no_values_were_kept() -> None:
    features = draw()
    features["age"] *= 365.25
    found = faults_of(features, sample=False)
    assert kinds(found) == [("unit changed", "age")]
    assert "100.0%" in found[0].seen


def test_growth_step_by_step_is_no_unit() -> None:
    earlier = [observed(draw().assign(amount=draw()["amount"] * step), f"2026-0{step}") for step in (2, 3, 5)]
    features = draw()
    features["amount"] *= 10
    assert faults_of(features, *earlier) == []
    still = [observed(draw().assign(amount=draw()["amount"] * 10), f"2026-0{month}") for month in (7, 8, 9)]
    assert kinds(faults_of(features, *still))[0] == ("unit changed", "amount")  # as long as it is not repaired


def test_a_category_under_a_new_name_is_named_with_its_old_one() -> None:
    features = draw()
    features["city"] = features["city"].replace({"Ningbo": "宁波"})
    found = faults_of(features)
    assert kinds(found) == [("category renamed", "city")]
    assert "'宁波' for 'Ningbo'" in found[0].seen
    assert kinds(faults_of(features, sample=False)) == [("category renamed", "city")]


def test_all_categories_in_another_case_are_matched_by_their_letters() -> None:
    features = draw()
    features["city"] = features["city"].str.upper()
    (found,) = faults_of(features)
    assert "'HANGZHOU' for 'Hangzhou', 'JINHUA' for 'Jinhua'" in found.seen


def test_a_category_that_nobody_holds_any_more_is_no_renaming() -> None:
    features = draw()
    features = features[features["city"] != "Ningbo"].reset_index(drop=True)
    assert faults_of(features) == []


def test_a_category_that_comes_and_goes_in_the_reference_is_no_renaming() -> None:
    features = draw()
    features["city"] = features["city"].replace({"Ningbo": "Shaoxing"})
    city = np.array(REFERENCE.counts["city"])
    summer, winter = city.copy(), city.copy()
    summer[REFERENCE.bins[-1].labels.index("Ningbo")] = 0
    months = {"city": np.stack([summer, winter])}
    assert find_faults(REFERENCE, observed(features), features, months=months) == []


@pytest.mark.parametrize("column", ["amount", "orders", "age", "city", "is_new"])
def test_one_value_for_everybody_is_a_constant(column: str) -> None:
    features = draw()
    features[column] = features[column].mode().iloc[0]
    assert kinds(faults_of(features)) == [("column constant", column)]


def test_a_small_window_of_a_rare_value_is_no_constant() -> None:
    features = draw(60)
    features["city"] = np.where(np.arange(60) < 60, "Hangzhou", None)
    frequent = draw(20_000, seed=3)
    frequent["city"] = np.where(np.arange(20_000) % 100 == 0, "Ningbo", "Hangzhou")
    from tests.monitoring.faults.tables import profile

    reference = profile(frequent)
    window = Observed("2026-10", 60, {"city": reference.bins[-1].count(features["city"].to_numpy())})
    only = reference.__class__(
        reference.rows, reference.population, reference.bins[-1:], {"city": reference.counts["city"]}
    )
    assert find_faults(only, window, features) == []


def test_two_faults_of_a_column_are_both_told() -> None:
    features = draw()
    features["amount"] *= 100
    features.loc[: len(features) // 2, "amount"] = np.nan
    assert kinds(faults_of(features)) == [("unit changed", "amount"), ("missing values risen", "amount")]


def test_an_empty_window_has_no_fault_of_its_columns() -> None:
    assert faults_of(draw(0)) == []
    assert find_faults(REFERENCE, observed(draw(1)), pd.DataFrame()) == []


def test_each_remedy_is_at_the_source() -> None:
    features = draw()
    features["amount"] *= 100
    for one in faults_of(features):
        assert "source" in one.remedy
        assert one.cause.endswith(".")


@pytest.mark.parametrize("factor", [0.01, 100, 1000])
@pytest.mark.parametrize("part", [0.1, 0.4])
def test_another_unit_in_a_part_of_the_rows_is_named(factor: float, part: float) -> None:
    features = draw()
    features["age"] *= np.where(np.random.default_rng(3).random(len(features)) < part, factor, 1)
    (found,) = faults_of(features)
    assert (found.kind, found.column) == ("unit changed", "age")
    assert f"factor of {max(factor, 1 / factor):,g}" in found.cause
    assert float(found.seen.split(" in ")[1].split("%")[0]) == pytest.approx(100 * part, abs=2)


def test_a_few_wild_values_are_no_unit() -> None:
    features = draw()
    features.loc[:40, "amount"] = 1e9
    assert faults_of(features) == []


def test_values_of_another_type_are_read_as_what_the_reference_has() -> None:
    features = draw()
    features["amount"] = features["amount"].map(Decimal)
    features["is_new"] = features["is_new"].astype(bool)
    features["city"] = features["city"].astype("category")
    features["age"] = features["age"].astype("float32")
    assert find_faults(REFERENCE, observed(draw()), features) == []
    features["amount"] = "many"  # values that were kept and contradict the counts
    assert find_faults(REFERENCE, observed(draw()), features) == []
