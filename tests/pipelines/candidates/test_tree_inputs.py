"""The matrix that tree libraries learn from, and what replaces values that they did not learn from."""

import numpy as np
import pytest

from pipelines.candidates.portable_model import RARE, levels_of
from pipelines.candidates.sample import Sample
from pipelines.candidates.tree_inputs import TreeInputs, inputs_of

CITIES = ["east"] * 6 + ["west"] * 8 + ["rare"]


def sample_of(city: list[str | None]) -> Sample:
    income = np.arange(len(city), dtype=float)
    debt = np.where(income == 0, np.nan, income)
    columns = {"income": income, "debt": debt, "city": np.array(city, dtype=object)}
    return Sample(columns, np.zeros(len(city), np.int8), ("income", "debt"), ("city",))


def positions(inputs: TreeInputs, *cities: str | None) -> list[float]:
    numbers = np.zeros(len(cities))
    texts = np.array(cities, dtype=object)
    plain, coded = (
        inputs.matrix({"income": numbers, "debt": numbers, "city": city}, np.float64)
        for city in (texts, levels_of(texts))
    )
    np.testing.assert_array_equal(plain, coded)
    return list(plain[:, 2])


def test_levels_come_by_their_rows_then_the_rare_ones_then_the_missing_one() -> None:
    inputs = inputs_of(sample_of([*CITIES, None]))
    assert inputs.levels == {"city": ["west", "east", RARE, None]}
    assert positions(inputs, "west", "east", "rare", "never seen", None) == [0, 1, 2, 2, 3]


@pytest.mark.parametrize("unknown", ["never seen", None])
def test_a_level_that_was_not_learnt_counts_as_rare_or_as_the_most_frequent_one(unknown: str | None) -> None:
    assert positions(inputs_of(sample_of(CITIES)), unknown) == [2]
    assert positions(inputs_of(sample_of(CITIES[:-1])), unknown) == [0]


def test_a_number_that_was_never_missing_counts_as_the_median_when_it_is() -> None:
    inputs = inputs_of(sample_of(CITIES))
    assert inputs.medians == {"income": 7.0}
    missing = {"income": np.array([np.nan]), "debt": np.array([np.nan]), "city": np.array(["east"], dtype=object)}
    np.testing.assert_array_equal(inputs.matrix(missing, np.float64), [[7.0, np.nan, 1.0]])


def test_single_precision_takes_larger_numbers_as_its_largest() -> None:
    inputs = TreeInputs(["income"], {}, {})
    numbers = np.array([1e300, -1e300, 0.1, np.nan])
    found = inputs.matrix({"income": numbers}, np.float32)[:, 0]
    largest = np.finfo(np.float32).max
    np.testing.assert_array_equal(found, np.array([largest, -largest, 0.1, np.nan], dtype=np.float32))
    np.testing.assert_array_equal(inputs.matrix({"income": numbers}, np.float64)[:, 0], numbers)


def test_the_card_restores_the_inputs() -> None:
    inputs = inputs_of(sample_of(CITIES))
    card = {"numeric": ("income", "debt"), "categorical": ("city",), **inputs.record()}
    assert TreeInputs.of_card(card) == inputs
