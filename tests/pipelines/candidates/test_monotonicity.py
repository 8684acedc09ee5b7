"""The check of directions sees any move against them on real rows, however narrow, and only such."""

import numpy as np
import pytest

from pipelines.candidates.monotonicity import MOST_ROWS, DirectionCheck, check_directions
from pipelines.candidates.portable_model import Columns, Floats
from pipelines.candidates.sample import Sample

COUNT = 500


def a_sample(income: np.ndarray, direction: int = 1) -> Sample:
    rows = len(income)
    city = np.array(["north", "south"], dtype=object)[np.arange(rows) % 2]
    columns = {"income": income, "age": np.arange(rows) / rows, "city": city}
    return Sample(columns, np.zeros(rows, np.int8), ("income", "age"), ("city",), directions={"income": direction})


def checked(log_odds: object, sample: Sample) -> DirectionCheck:
    (check,) = check_directions(log_odds, sample)  # type: ignore[arg-type]
    return check


def rising(columns: Columns) -> Floats:
    return np.asarray(np.floor(4 * columns["income"]))


def test_a_score_that_rises_keeps_to_riskier_and_violates_safer_in_every_row_by_its_whole_rise() -> None:
    income = np.linspace(0, 1, COUNT)
    assert checked(rising, a_sample(income)) == DirectionCheck("income", 1, MOST_ROWS, 0, 0.0)
    assert checked(rising, a_sample(income, direction=-1)) == DirectionCheck("income", -1, MOST_ROWS, MOST_ROWS, 4.0)


@pytest.mark.parametrize("notch", [0.0, 0.37, 0.999])
def test_a_narrow_notch_is_found_wherever_it_is(notch: float) -> None:
    income = np.random.default_rng(0).permutation(np.linspace(0, 1, COUNT))
    check = checked(lambda columns: -1.0 * (np.abs(columns["income"] - notch) < 0.002), a_sample(income))
    assert check.largest == (0.0 if notch == 0 else 1.0)  # a score that is lowest at the smallest number only rises
    check = checked(lambda columns: -1.0 * (np.abs(columns["income"] - notch) < 0.002), a_sample(income, -1))
    assert check.largest == (0.0 if notch == 0.999 else 1.0)


def test_a_notch_between_two_numbers_is_found_but_not_where_the_feature_is_whole() -> None:
    def notched(columns: Columns) -> Floats:
        return np.where((columns["income"] > 2.2) & (columns["income"] < 2.8), -1.0, 0.0)

    assert checked(notched, a_sample(np.tile([0.5, 2.0, 3.0], 20))).violating == 60
    assert checked(notched, a_sample(np.tile([0.0, 2.0, 3.0], 20))).violating == 0


def test_only_rows_whose_other_features_bring_it_about_are_counted() -> None:
    def log_odds(columns: Columns) -> Floats:
        is_south = np.array(columns["city"].names)[columns["city"].codes] == "south"
        return np.where(is_south, -2.0, 1.0) * columns["income"]

    check = checked(log_odds, a_sample(np.linspace(0, 1, 100)))
    assert (check.rows, check.violating, check.largest) == (100, 50, 2.0)
    assert check.share_violating == 0.5


def test_rows_without_the_feature_are_not_moved() -> None:
    income = np.linspace(0, 1, 100)
    income[:30] = np.nan
    assert checked(rising, a_sample(income, direction=-1)).violating == 70


@pytest.mark.parametrize("income", [np.full(50, np.nan), np.full(50, 3.0)])
def test_a_feature_of_one_number_is_not_checked(income: np.ndarray) -> None:
    check = checked(rising, a_sample(income))
    assert (check.rows, check.share_violating) == (0, None)


def test_numbers_of_other_rows_widen_the_range() -> None:
    sample = a_sample(np.linspace(0, 1, 100), direction=-1)

    def above_two(columns: Columns) -> Floats:
        return np.asarray(1.0 * (columns["income"] > 2))

    assert check_directions(above_two, sample)[0].violating == 0
    assert check_directions(above_two, sample, also={"income": np.array([3.0])})[0].violating == 100


def test_a_direction_of_a_feature_that_the_sample_lacks_is_left_out() -> None:
    sample = a_sample(np.linspace(0, 1, 10))
    sample.directions["debt"] = 1  # type: ignore[index]
    assert [check.feature for check in check_directions(rising, sample)] == ["income"]
