"""Frozen bins: every value has its bin, counts of parts add up, and the text says the same."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pipelines.reference_profile import SCORE, FrozenBins, ReferenceProfile, profile_of
from pipelines.settings import Population

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
    profile = profile_of(np.arange(400, 600), features, ["income"], Population.applications)
    assert ReferenceProfile.from_json(profile.to_json()) == profile
    assert [bins.column for bins in profile.bins] == [SCORE, "income", "channel"]
