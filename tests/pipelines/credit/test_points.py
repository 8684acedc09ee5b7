"""The points scale by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.credit.points import PointsScale, band_labels, bands, points

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
    labels = band_labels(lower_ends, SCALE)
    assert labels == ["350-549", "550-599", "600-649", "650-699", "700-950"]
    assert bands(np.array([350, 549, 550, 699, 700, 950]), lower_ends, SCALE).tolist() == [
        labels[place] for place in (0, 0, 1, 3, 4, 4)
    ]
