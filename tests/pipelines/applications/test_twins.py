"""Twins: copies are found and no coincidences, and no split or fold has twins on both sides."""

from collections.abc import Callable
from dataclasses import replace
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.applications.applications import Applications
from pipelines.applications.near_pairs import most_changed
from pipelines.applications.roles import Roles
from pipelines.applications.settings import SplitSettings
from pipelines.applications.splits import split_applications
from pipelines.applications.twins import find_twins
from pipelines.errors import DataError


def applications(features: pd.DataFrame, bad: Any, days: Any = None, groups: Any = None) -> Applications:
    numeric = tuple(str(name) for name in features.select_dtypes("number"))
    categorical = tuple(str(name) for name in features if name not in numeric)
    roles = Roles(id="id", time="t", label="bad", bad="1", protected=(), numeric=numeric, categorical=categorical)
    return Applications(
        features=features,
        ids=np.array([f"A{row:05d}" for row in range(len(features))]),
        times=None if days is None else np.datetime64("2024-01-01", "us") + np.asarray(days) * np.timedelta64(1, "D"),
        bad=np.asarray(bad, np.int8),
        protected=pd.DataFrame(index=range(len(features))),
        roles=roles,
        fingerprint="f",
        quarantined={},
        groups=groups,
    )


def people(seed: int, rows: int) -> pd.DataFrame:
    """Return distinct applications as a lender has them: amounts, counts, codes and gaps."""
    generator = np.random.default_rng(seed)
    income = generator.lognormal(8, 0.5, rows).round(0)
    return pd.DataFrame(
        {
            "income": np.where(generator.random(rows) < 0.1, np.nan, income),
            "amount": generator.lognormal(6, 1, rows).round(2),
            "age": generator.integers(18, 75, rows).astype(float),
            "orders": generator.poisson(2, rows).astype(float),
            "channel": generator.choice(["web", "app", "shop"], rows),
            "region": generator.choice([f"R{number}" for number in range(30)], rows),
        }
    )


def outcomes(seed: int, rows: int) -> Any:
    return np.random.default_rng(seed + 1000).binomial(1, 0.2, rows)


@pytest.mark.parametrize("seed", range(6))
def test_exact_and_near_copies_are_found_and_nothing_else(seed: int) -> None:
    generator, table = np.random.default_rng(seed), people(seed, 2000)
    identifiable = np.flatnonzero(table["income"].notna())
    copied, changed = generator.choice(identifiable, 100, replace=False).reshape(2, 50)
    near = table.iloc[changed].assign(region="R99")
    whole = pd.concat([table, table.iloc[copied], near], ignore_index=True)
    twins = find_twins(applications(whole, outcomes(seed, len(whole))))
    exact = {*copied.tolist(), *range(2000, 2050)}
    assert set(np.flatnonzero(twins.is_exact)) == exact
    near_rows = set(np.flatnonzero(twins.is_near))
    assert near_rows >= {*changed.tolist(), *range(2050, 2100)}
    assert len(near_rows) <= 100 + 2  # of 2,000 people with few features a pair may be alike by chance
    for original, copy in [*zip(copied, range(2000, 2050), strict=True), *zip(changed, range(2050, 2100), strict=True)]:
        assert twins.family[original] == twins.family[copy]
    assert str(twins) == f"100 exact copies, {len(near_rows)} near copies"


def wide(seed: int, rows: int, features: int) -> pd.DataFrame:
    """Return distinct applications with amounts, counts, codes and a number that several columns repeat."""
    generator = np.random.default_rng(seed)
    instalment = np.where(generator.random(rows) < 0.05, 390.0, generator.lognormal(5, 1, rows).round())
    columns: dict[str, Any] = {f"paid_{month}": instalment for month in range(features // 3)}
    while len(columns) < features:
        number = len(columns)
        columns[f"column_{number}"] = [
            generator.lognormal(6, 1, rows).round(1),
            generator.poisson(3, rows).astype(float),
            generator.choice([f"L{level}" for level in range(12)], rows),
        ][number % 3]
    return pd.DataFrame(columns)


@pytest.mark.parametrize("features", [10, 15, 24])
@pytest.mark.parametrize("changed", [2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_copies_with_several_changed_features_are_found(features: int, changed: int, seed: int) -> None:
    generator, table = np.random.default_rng(seed), wide(seed, 3000, features)
    copied = generator.choice(3000, 60, replace=False)
    copies, others = table.iloc[copied].copy(), table.iloc[(copied + 1) % 3000]
    for row in range(60):  # each copy has the values of another person in some features
        for column in generator.choice(features, changed, replace=False):
            if isinstance(table.iloc[0, column], str):
                copies.iloc[row, column] = "changed"
            else:
                copies.iloc[row, column] = others.iloc[row, column] + 0.5
    twins = find_twins(applications(pd.concat([table, copies], ignore_index=True), outcomes(seed, 3060)))
    found = sum(int(twins.family[row] == twins.family[3000 + place]) for place, row in enumerate(copied))
    assert found >= (54 if changed <= most_changed(features) else 0)  # some have too few rare values left
    assert twins.rows <= 2 * found + 4
    if changed > most_changed(features):
        assert found <= 2


@pytest.mark.parametrize(
    "table",
    [
        lambda random: wide(int(random.integers(100)), 5000, 12),
        # inactive cards: the same small amount in each month, and little else
        lambda random: pd.DataFrame(
            {f"bill_{i}": amount for amount in [random.choice([0.0, 150.0, 390.0], 5000)] for i in range(12)}
        ).assign(age=random.integers(21, 70, 5000).astype(float), limit=random.integers(1, 60, 5000) * 10_000.0),
        lambda random: pd.DataFrame({f"flag_{i}": random.integers(0, 2, 5000).astype(float) for i in range(6)}),
        lambda random: pd.DataFrame({f"code_{i}": random.choice(list("abcdefgh"), 5000) for i in range(5)}),
        lambda random: pd.DataFrame({"x": random.normal(size=5000).round(2)}),
        # most customers have no history: their rows are alike, and no copies
        lambda random: pd.DataFrame(
            {
                f"spent_{i}": np.where(random.random(5000) < 0.02, random.gamma(2, 50, 5000).round(), 0.0)
                for i in range(8)
            }
        ).assign(age=random.integers(18, 75, 5000).astype(float)),
        lambda _: pd.DataFrame({"constant": np.ones(5000), "gap": np.full(5000, np.nan)}),
    ],
)
def test_rows_that_are_alike_by_chance_are_no_copies(table: Callable[[np.random.Generator], pd.DataFrame]) -> None:
    twins = find_twins(applications(table(np.random.default_rng(3)), outcomes(3, 5000)))
    assert twins.rows <= 10


def test_rounding_and_the_sign_of_zero_do_not_hide_a_copy() -> None:
    table = people(1, 500).assign(debt=0.0)
    whole = pd.concat(
        [table, (table.assign(amount=table["amount"] * (1 + 1e-7), debt=-0.0)).iloc[:5]], ignore_index=True
    )
    twins = find_twins(applications(whole, outcomes(1, 505)))
    assert [int(twins.family[row] == twins.family[500 + row]) for row in range(5)] == [1] * 5


def test_copies_of_copies_and_rows_of_one_group_are_one_family() -> None:
    table = people(2, 300).assign(income=lambda rows: rows["income"].fillna(7.0))
    first = table.iloc[[0]]
    chain = pd.concat([table, first.assign(region="R99"), first.assign(region="R99", age=99.0)])
    groups = np.array([None] * 300 + ["c1", "c2"], object)
    groups[[5, 6]] = ["c2", "c3"]
    twins = find_twins(applications(chain.reset_index(drop=True), outcomes(2, 302), groups=groups))
    assert len({twins.family[row] for row in (0, 300, 301, 5)}) == 1
    assert twins.family[6] != twins.family[5]
    assert set(np.flatnonzero(twins.is_grouped)) == {5, 301}


def assert_twins_on_one_side(rows: Applications, settings: SplitSettings, seed: int) -> None:
    split, family = split_applications(rows, replace(settings, seed=seed)), find_twins(rows).family
    assert not set(family[split.development]) & set(family[split.test])
    for fold in split.folds:
        there = family[split.development]
        assert not set(there[fold.fit]) & set(there[fold.held_out])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("with_times", [False, True])
def test_copies_stay_on_one_side_of_every_split_and_fold(seed: int, with_times: bool) -> None:
    # given: noise, each row four times, as it was promoted with an AUC of 1 before
    whole = pd.concat([people(seed, 100)] * 4, ignore_index=True)
    days = np.arange(400) % 100 + 3 * (np.arange(400) // 100) if with_times else None  # copies some days later
    rows = applications(whole, np.tile(outcomes(seed, 100), 4), days)
    settings = SplitSettings(folds=3)
    assert_twins_on_one_side(rows, settings, seed)
    split = split_applications(rows, replace(settings, seed=seed))
    assert 0.2 < len(split.test) / 400 < 0.4
    assert (
        "left out of development as twins" if with_times else "moved to the side of their twins"
    ) in split.description


@pytest.mark.parametrize("seed", range(8))
def test_rows_of_one_customer_stay_on_one_side(seed: int) -> None:
    generator = np.random.default_rng(seed)
    groups = np.array([f"c{number}" for number in generator.integers(0, 250, 900)], object)
    groups[generator.random(900) < 0.3] = None  # no customer is known: each row by itself
    rows = applications(people(seed, 900), outcomes(seed, 900), groups=groups)
    assert_twins_on_one_side(rows, SplitSettings(), seed)
    later = applications(people(seed, 900), outcomes(seed, 900), np.sort(generator.integers(0, 300, 900)), groups)
    assert_twins_on_one_side(later, SplitSettings(folds=2), seed)


def test_without_twins_a_split_is_what_it_was() -> None:
    rows = applications(people(4, 600), outcomes(4, 600))
    split, bare = split_applications(rows, SplitSettings(seed=4)), applications(people(4, 600)[["age"]], rows.bad)
    assert find_twins(rows).rows == find_twins(bare).rows == 0
    other = split_applications(bare, SplitSettings(seed=4))
    assert split.test_part == other.test_part
    for one, same in zip(split.folds, other.folds, strict=True):
        np.testing.assert_array_equal(one.held_out, same.held_out)


def test_one_group_for_all_cannot_be_split() -> None:
    rows = applications(people(5, 300), outcomes(5, 300), groups=np.array(["c"] * 300, object))
    with pytest.raises(DataError, match="bad of 0, and each part of a split needs both outcomes"):
        split_applications(rows, SplitSettings())


@pytest.mark.parametrize("table", [people(6, 100_000), wide(6, 100_000, 24)])
def test_a_hundred_thousand_rows_take_seconds(table: pd.DataFrame) -> None:
    rows = applications(table, outcomes(6, 100_000))
    start = process_time()
    find_twins(replace(rows))
    assert process_time() - start < 5
