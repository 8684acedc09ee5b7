"""Calibration against published figures and scikit-learn."""

import numpy as np
import pytest
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
