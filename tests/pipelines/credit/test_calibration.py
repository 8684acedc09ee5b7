"""Calibration against published figures and scikit-learn."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import brier_score_loss

from pipelines.credit.calibration import brier, calibration_curve, expected_to_observed, wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17:857, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_agrees_with_newcombe(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials, 0.95) == pytest.approx((low, high), abs=5e-5)


def test_brier_agrees_with_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    bad, probability = generator.integers(0, 2, 100).astype(np.int8), generator.random(100)
    assert brier(bad, probability) == pytest.approx(brier_score_loss(bad, probability))


def test_expected_over_observed_and_the_curve_by_hand() -> None:
    bad = np.array([0, 0, 0, 1, 1, 1], dtype=np.int8)
    probability = np.array([0.1, 0.2, 0.3, 0.4, 0.9, 0.5])
    assert expected_to_observed(bad, probability) == pytest.approx(2.4 / 3)
    curve = calibration_curve(bad, probability, groups=2, confidence=0.95)
    assert [(point.rows, round(point.predicted, 6), point.observed) for point in curve] == [
        (3, 0.2, 0.0),
        (3, 0.6, 1.0),
    ]


outcomes = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=60)


@given(outcomes, st.integers(1, 12))
def test_a_curve_shows_every_row_once_and_in_order(rows: list[tuple[int, float]], groups: int) -> None:
    bad, probability = np.array([row[0] for row in rows], dtype=np.int8), np.array([row[1] for row in rows])
    curve = calibration_curve(bad, probability, groups=groups, confidence=0.9)
    sizes = [point.rows for point in curve]
    assert sum(sizes) == len(rows)
    assert max(sizes) - min(sizes) <= 1
    assert sum(point.observed * point.rows for point in curve) == pytest.approx(bad.sum())
    assert all(first.predicted <= second.predicted + 1e-12 for first, second in pairwise(curve))
    for point in curve:
        assert -1e-12 <= point.low <= point.observed + 1e-12
        assert point.observed - 1e-12 <= point.high <= 1 + 1e-12


@given(st.integers(1, 500), st.data())
def test_wilson_interval_mirrors_bad_and_good(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    low, high = wilson_interval(successes, trials, 0.95)
    other_low, other_high = wilson_interval(trials - successes, trials, 0.95)
    assert (low, high) == pytest.approx((1 - other_high, 1 - other_low), abs=1e-12)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 40), (200, 400)])
def test_wilson_interval_agrees_with_scipy(successes: int, trials: int) -> None:
    theirs = binomtest(successes, trials).proportion_ci(0.9, method="wilson")
    assert wilson_interval(successes, trials, 0.9) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
