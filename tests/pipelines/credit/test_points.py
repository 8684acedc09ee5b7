"""The points scale by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.credit.points import PointsScale, band_labels, points

SCALE = PointsScale()


def test_base_odds_earn_the_base_points_and_doubled_odds_the_step() -> None:
    odds = np.array([15.0, 30.0, 60.0, 7.5])
    assert points(1 / (1 + odds), SCALE).tolist() == [600, 650, 700, 550]


@given(st.lists(st.floats(0, 1), min_size=2))
def test_more_risk_never_earns_more_points_and_points_stay_on_the_scale(probabilities: list[float]) -> None:
    found = points(np.sort(probabilities), SCALE)
    assert (np.diff(found) <= 0).all()
    assert ((found >= SCALE.lowest) & (found <= SCALE.highest)).all()


def test_a_band_begins_at_its_lower_end() -> None:
    lower_ends = [550, 600, 650, 700]
    assert band_labels(lower_ends, SCALE) == ["350-549", "550-599", "600-649", "650-699", "700-950"]


@given(st.integers(350, 950))
def test_points_can_be_read_back_as_odds(found: int) -> None:
    odds = SCALE.base_odds * 2 ** ((found - SCALE.base_points) / SCALE.points_to_double_the_odds)
    assert points(np.array([1 / (1 + odds)]), SCALE).tolist() == [found]


def test_a_scale_by_hand() -> None:
    # 20 points double the odds, 500 points at even odds: odds of 3 earn 500 + 20 log2(3) = 531.7
    scale = PointsScale(base_points=500, base_odds=1.0, points_to_double_the_odds=20, lowest=0, highest=1000)
    assert scale.offset == pytest.approx(500)
    assert points(np.array([0.5, 0.25, 0.75, 1 / 1025]), scale).tolist() == [500, 532, 468, 700]


def test_certainty_earns_the_ends_of_the_scale() -> None:
    assert points(np.array([0.0, 1.0]), SCALE).tolist() == [SCALE.highest, SCALE.lowest]
