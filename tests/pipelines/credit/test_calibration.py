"""Calibration against scikit-learn and hand-worked cases."""

from itertools import pairwise

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from pipelines.credit.calibration import (
    brier,
    calibration_curve,
    expected_calibration_error_of,
    expected_to_observed_of,
    log_loss_of,
)
from pipelines.credit.tally import tally


def test_brier_agrees_with_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    bad, probability = generator.integers(0, 2, 100).astype(np.int8), generator.random(100)
    assert brier(bad, probability) == pytest.approx(sklearn.metrics.brier_score_loss(bad, probability))


def test_expected_over_observed_and_the_curve_by_hand() -> None:
    bad = np.array([0, 0, 0, 1, 1, 1], dtype=np.int8)
    probability = np.array([0.1, 0.2, 0.3, 0.4, 0.9, 0.5])
    assert expected_to_observed_of(tally(bad, probability)) == pytest.approx(2.4 / 3)
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


@given(outcomes.filter(lambda rows: 0 < sum(bad for bad, _ in rows) < len(rows)))
def test_log_loss_agrees_with_scikit_learn_certainties_included(rows: list[tuple[int, float]]) -> None:
    bad, probability = np.array([row[0] for row in rows], dtype=np.int8), np.array([row[1] for row in rows])
    assert log_loss_of(tally(bad, probability)) == pytest.approx(sklearn.metrics.log_loss(bad, probability), abs=1e-9)


@given(outcomes, st.integers(1, 12))
def test_the_expected_calibration_error_can_be_read_from_the_curve(rows: list[tuple[int, float]], groups: int) -> None:
    bad, probability = np.array([row[0] for row in rows], dtype=np.int8), np.array([row[1] for row in rows])
    curve = calibration_curve(bad, probability, groups=groups, confidence=0.9)
    expected = sum(point.rows * abs(point.predicted - point.observed) for point in curve) / len(rows)
    assert expected_calibration_error_of(tally(bad, probability), groups=groups) == pytest.approx(expected, abs=1e-12)


def test_the_expected_calibration_error_by_hand_does_not_mind_the_order_of_ties() -> None:
    # given: groups of 2, 2 and 1 rows; the four at 0.2 are half bad wherever they are put
    probability = np.array([0.2, 0.2, 0.2, 0.2, 0.9])
    for bad in ([0, 0, 1, 1, 0], [1, 0, 1, 0, 0], [1, 1, 0, 0, 0]):
        found = expected_calibration_error_of(tally(np.array(bad, dtype=np.int8), probability), groups=3)
        assert found == pytest.approx((2 * 0.3 + 2 * 0.3 + 0.9) / 5)
