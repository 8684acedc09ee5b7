"""Frozen bins: every value has its bin, counts of parts add up, and the text says the same."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.credit.population import Population
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.reference_profile import SCORE, ReferenceProfile

REFERENCE = np.arange(200, dtype=float)
numbers = st.lists(st.one_of(st.floats(allow_infinity=False), st.just(float("nan"))), min_size=1).map(np.array)
levels = st.lists(st.sampled_from(["a", "b", "rare", "new", None]), min_size=1).map(lambda v: np.array(v, dtype=object))
LEVELS = np.array(["a"] * 100 + ["b"] * 95 + ["rare"] * 3 + [None] * 2, dtype=object)


def test_each_kind_of_number_falls_into_its_bin() -> None:
    bins = FrozenBins.of_numbers("income", REFERENCE)
    found = dict(zip(bins.labels, bins.count(np.array([np.nan, -1, 0, 199, 200, 1e9])), strict=True))
    first, last = bins.labels[2], bins.labels[-2]
    assert found["missing"] == 1
    assert found["below"] == 1
    assert found["above"] == 2
    assert (found[first], found[last]) == (1, 1)
    assert sum(found.values()) == 6


def test_each_kind_of_level_falls_into_its_bin() -> None:
    bins = FrozenBins.of_levels("channel", LEVELS)
    found = dict(zip(bins.labels, bins.count(np.array(["a", "rare", "new", None, None], dtype=object)), strict=True))
    assert found == {"missing": 2, "a": 1, "b": 0, "other": 1, "unseen": 1}


def test_reference_bins_hold_about_equal_shares() -> None:
    bins = FrozenBins.of_numbers("income", REFERENCE)
    assert len(bins.labels) == 13
    assert set(bins.count(REFERENCE)[2:-1]) == {20}


@given(numbers, numbers)
def test_counts_of_parts_add_up_for_numbers(first: np.ndarray, second: np.ndarray) -> None:
    bins = FrozenBins.of_numbers("income", REFERENCE)
    together = bins.count(np.concatenate([first, second]))
    assert (bins.count(first) + bins.count(second) == together).all()
    assert together.sum() == len(first) + len(second)
    assert bins.comparable(together)[1].sum() == together.sum()


@given(levels, levels)
def test_counts_of_parts_add_up_for_levels(first: np.ndarray, second: np.ndarray) -> None:
    bins = FrozenBins.of_levels("channel", LEVELS)
    assert (bins.count(first) + bins.count(second) == bins.count(np.concatenate([first, second]))).all()


def test_nothing_at_all_is_a_reference_too() -> None:
    bins = FrozenBins.of_numbers("income", np.array([np.nan, np.nan]))
    assert bins.count(np.array([np.nan, 3.0])).sum() == 2
    assert FrozenBins.of_levels("channel", np.array([None], dtype=object)).count(LEVELS).sum() == len(LEVELS)


def test_a_profile_survives_its_text() -> None:
    features = pd.DataFrame({"income": REFERENCE, "channel": pd.Series(LEVELS, dtype=object)})
    profile = profile_of(np.arange(400, 600), np.full(200, 0.1), features, ["income"], Population.applications)
    assert ReferenceProfile.from_json(profile.to_json()).to_json() == profile.to_json()
    assert [bins.column for bins in profile.bins] == [SCORE, "income", "channel"]


samples = st.lists(st.integers(-5, 60), min_size=1, max_size=400).map(lambda v: np.array(v, dtype=float))


@given(samples)
def test_bins_are_ordered_and_hold_enough_of_the_reference_to_be_counted(reference: np.ndarray) -> None:
    bins = FrozenBins.of_numbers("income", reference)
    assert bins.edges is not None
    assert list(bins.edges) == sorted(set(bins.edges))
    assert all(bins.lowest <= edge < bins.highest for edge in bins.edges)
    counts = dict(enumerate(bins.count(reference).tolist()))
    inside = [counts[place] for place in range(2, len(bins.labels) - 1)]
    assert (counts[0], counts[1], counts[len(bins.labels) - 1]) == (0, 0, 0)
    assert sum(inside) == len(reference)
    assert all(count >= 10 for count in inside) or len(inside) == 1


@given(samples, numbers)
def test_comparable_bins_lose_no_value(reference: np.ndarray, window: np.ndarray) -> None:
    bins = FrozenBins.of_numbers("income", reference)
    labels, counts = bins.comparable(bins.count(window))
    assert len(labels) == len(counts)
    assert counts.sum() == len(window)
    assert counts[0] == np.isnan(window).sum()


def test_values_beyond_the_range_are_compared_with_the_bins_at_its_ends() -> None:
    bins = FrozenBins.of_numbers("income", REFERENCE)
    labels, counts = bins.comparable(bins.count(np.array([-5.0, -5.0, 0.0, 300.0, np.nan])))
    assert not {"below", "above"} & set(labels)
    assert (counts[0], counts[1], counts[-1], counts.sum()) == (1, 3, 1, 5)


def test_any_other_value_of_a_constant_is_news() -> None:
    bins = FrozenBins.of_numbers("flag", np.ones(100))
    labels, counts = bins.comparable(bins.count(np.array([0.0, 1.0, 2.0, np.nan])))
    assert dict(zip(labels, counts.tolist(), strict=True)) == {"missing": 1, "below": 1, "any": 1, "above": 1}


def test_a_rare_flag_has_a_bin_of_its_own() -> None:
    bins = FrozenBins.of_numbers("defaults before", np.array([0.0] * 970 + [1.0] * 30))
    counts = bins.count(np.array([0.0, 1.0, 1.0])).tolist()
    assert sorted(counts) == [0, 0, 0, 1, 2]


def test_a_level_is_frequent_from_twenty_rows_or_one_in_a_hundred_on() -> None:
    few = np.array(["a"] * 100 + ["b"] * 20 + ["c"] * 19, dtype=object)
    many = np.array(["a"] * 4900 + ["b"] * 50 + ["c"] * 49, dtype=object)
    for levels in (few, many):
        bins = FrozenBins.of_levels("channel", levels)
        assert (bins.levels, bins.rare) == (("a", "b"), ("c",))


@given(levels, samples)
def test_any_profile_survives_its_text(channel: np.ndarray, income: np.ndarray) -> None:
    rows = min(len(channel), len(income))
    features = pd.DataFrame({"income": income[:rows], "channel": pd.Series(channel[:rows], dtype=object)})
    profile = profile_of(np.arange(rows), np.full(rows, 0.1), features, ["income"], Population.book)
    again = ReferenceProfile.from_json(profile.to_json())
    assert again.to_json() == profile.to_json()
    assert again.population is Population.book
    for bins in again.bins:
        assert sum(again.counts[bins.column]) == rows


@pytest.mark.parametrize(
    "bins",
    [
        FrozenBins.of_levels("channel", np.array(["missing"] * 50 + ["other"] * 50, dtype=object)),
        FrozenBins.of_numbers("account", 1e9 + np.arange(200.0)),
    ],
    ids=["levels named as our own bins", "numbers alike in six digits"],
)
def test_no_two_bins_have_the_same_name(bins: FrozenBins) -> None:
    assert len(set(bins.labels)) == len(bins.labels)
