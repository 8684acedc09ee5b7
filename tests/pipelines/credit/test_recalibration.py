"""Calibration slope and intercept against other optimisers, hand-worked cases and laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from pipelines.credit.recalibration import STEEPEST, calibration_intercept_of, calibration_slope_of
from pipelines.credit.tally import tally


def simulated(seed: int, rows: int, slope: float, shift: float) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    generator = np.random.default_rng(seed)
    log_odds = generator.normal(-2, 1.2, rows)
    bad = (generator.random(rows) < expit(shift + slope * log_odds)).astype(np.int8)
    return bad, expit(np.round(log_odds, 1 + seed % 3))


@pytest.mark.parametrize(("seed", "slope", "shift"), [(0, 1.0, 0.0), (1, 0.6, -0.5), (2, 1.7, 0.8), (3, -0.4, 0.2)])
def test_slope_and_intercept_agree_with_other_optimisers(seed: int, slope: float, shift: float) -> None:
    bad, probability = simulated(seed, 800, slope, shift)
    log_odds = logit(probability)
    theirs = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12).fit(log_odds[:, None], bad)
    assert calibration_slope_of(tally(bad, probability)) == pytest.approx(theirs.coef_[0, 0], abs=1e-7)
    root = brentq(lambda a: float(np.sum(expit(a + log_odds) - bad)), -30, 30, xtol=1e-12)
    assert calibration_intercept_of(tally(bad, probability)) == pytest.approx(root, abs=1e-9)


def test_two_groups_by_hand() -> None:
    # given: odds of 1 : 9 and 1 : 1 in fact where 1 : 3 and 3 : 1 were said
    bad = np.array([1] * 2 + [0] * 18 + [1] * 5 + [0] * 5, dtype=np.int8)
    probability = np.r_[np.full(20, 0.25), np.full(10, 0.75)]
    # then: the line through (-ln 3, -ln 9) and (ln 3, 0) has the slope ln 9 / (2 ln 3)
    assert calibration_slope_of(tally(bad, probability)) == pytest.approx(1.0)
    # and: at slope 1 it shifts all log-odds by -ln 3
    assert calibration_intercept_of(tally(bad, probability)) == pytest.approx(-np.log(3))


def test_a_stretched_score_has_the_slope_that_undoes_it() -> None:
    bad, probability = simulated(4, 500, 1.0, 0.0)
    slope = calibration_slope_of(tally(bad, probability))
    assert calibration_slope_of(tally(bad, expit(2 * logit(probability)))) == pytest.approx(slope / 2, abs=1e-8)
    shifted = calibration_intercept_of(tally(bad, expit(logit(probability) + 0.7)))
    assert shifted == pytest.approx(calibration_intercept_of(tally(bad, probability)) - 0.7, abs=1e-8)


def test_scores_that_separate_entirely_have_the_steepest_slope_and_constant_ones_none() -> None:
    bad = np.array([0, 0, 1, 1], dtype=np.int8)
    assert calibration_slope_of(tally(bad, np.array([0.1, 0.2, 0.2, 0.3]))) == STEEPEST
    assert calibration_slope_of(tally(bad, np.array([0.3, 0.3, 0.2, 0.1]))) == -STEEPEST
    assert calibration_slope_of(tally(bad, np.full(4, 0.1))) == 0
    assert calibration_intercept_of(tally(bad, np.full(4, 0.1))) == pytest.approx(np.log(9))


@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 1e-300, 1e-9, 0.02, 0.3, 0.999, 1.0])), min_size=2)
    .filter(lambda rows: 0 < sum(bad for bad, _ in rows) < len(rows))
)  # fmt: skip
def test_certainties_are_survived_and_the_likelihood_equations_hold(rows: list[tuple[int, float]]) -> None:
    bad, probability = np.array([row[0] for row in rows], dtype=np.int8), np.array([row[1] for row in rows])
    assert -STEEPEST <= calibration_slope_of(tally(bad, probability)) <= STEEPEST
    log_odds = logit(np.clip(probability, 1e-12, 1 - 1e-12))
    expected = expit(calibration_intercept_of(tally(bad, probability)) + log_odds).sum()
    assert expected == pytest.approx(bad.sum(), abs=1e-6)
