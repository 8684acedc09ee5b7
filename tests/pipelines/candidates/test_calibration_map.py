"""The calibration map against scikit-learn and against a truth that is known."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from pipelines.candidates.calibration_map import fit_calibration
from pipelines.candidates.portable_model import calibrate
from pipelines.candidates.settings import CalibrationMethod

Floats = NDArray[np.float64]
METHODS = list(CalibrationMethod)


def drawn(rows: int, slope: float = 1.0, intercept: float = 0.0) -> tuple[Floats, NDArray[np.int8]]:
    """Return raw log-odds, and outcomes whose true log-odds are intercept + slope times the raw ones."""
    generator = np.random.default_rng(0)
    raw = generator.normal(size=rows)
    true = 1 / (1 + np.exp(-(intercept + slope * raw)))
    return raw, (generator.random(rows) < true).astype(np.int8)


def test_none_is_the_logistic_function_itself() -> None:
    mapped = calibrate(np.array([0.0, np.log(3), -np.log(9)]), fit_calibration(*drawn(100), CalibrationMethod.none))
    assert mapped == pytest.approx([0.5, 0.75, 0.1])


def test_logistic_finds_the_slope_and_intercept_that_made_the_outcomes() -> None:
    found = fit_calibration(*drawn(40_000, slope=0.5, intercept=-1.0), CalibrationMethod.logistic)
    assert found["slope"] == pytest.approx(0.5, abs=0.05)
    assert found["intercept"] == pytest.approx(-1.0, abs=0.05)


def test_logistic_expects_as_many_bad_as_there_were() -> None:
    raw, bad = drawn(500, slope=3.0, intercept=0.5)
    found = calibrate(raw, fit_calibration(raw, bad, CalibrationMethod.logistic))
    assert found.sum() == pytest.approx(bad.sum(), rel=1e-4)


def test_isotonic_agrees_with_scikit_learn_between_and_beyond_its_steps() -> None:
    raw, bad = drawn(300)
    asked = np.linspace(-6, 6, 1001)
    expected = IsotonicRegression(out_of_bounds="clip").fit(raw, bad).predict(asked)
    found = calibrate(asked, fit_calibration(raw, bad, CalibrationMethod.isotonic))
    assert found == pytest.approx(np.clip(expected, 0.5 / 300, 1 - 0.5 / 300), abs=2e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_higher_raw_score_is_never_a_lower_probability(method: CalibrationMethod) -> None:
    mapped = calibrate(np.linspace(-20, 20, 401), fit_calibration(*drawn(400), method))
    assert (np.diff(mapped) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-30, 30), st.integers(0, 1)), min_size=4, max_size=30))
@pytest.mark.parametrize("method", [CalibrationMethod.none, CalibrationMethod.isotonic])
def test_no_map_says_never_or_always(method: CalibrationMethod, rows: list[tuple[float, int]]) -> None:
    raw, bad = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=np.int8)
    mapped = calibrate(raw, fit_calibration(raw, bad, method))
    assert ((mapped > 0) & (mapped < 1)).all()


@pytest.mark.parametrize("method", METHODS)
def test_scores_that_say_nothing_become_the_bad_rate(method: CalibrationMethod) -> None:
    mapped: Any = fit_calibration(np.zeros(100), np.array([1] * 20 + [0] * 80, dtype=np.int8), method)
    expected = 0.5 if method is CalibrationMethod.none else 0.2
    assert calibrate(np.zeros(1), mapped)[0] == pytest.approx(expected, abs=1e-3)


@pytest.mark.filterwarnings("ignore:overflow encountered in exp:RuntimeWarning")
def test_a_score_that_separates_perfectly_still_leaves_room_for_doubt() -> None:
    raw = np.concatenate([np.linspace(-9, -1, 50), np.linspace(1, 9, 50)])
    mapped = fit_calibration(raw, (raw > 0).astype(np.int8), CalibrationMethod.logistic)
    found = calibrate(np.array([-300.0, -9.0, 9.0, 300.0]), mapped)
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize("method", [CalibrationMethod.logistic, CalibrationMethod.isotonic])
def test_a_row_that_counts_for_three_is_three_rows(method: CalibrationMethod) -> None:
    raw, bad = drawn(400)
    times = np.random.default_rng(1).integers(1, 4, len(raw))
    rows = np.repeat(np.arange(len(raw)), times)
    asked = np.linspace(raw.min(), raw.max(), 101)
    weighted = calibrate(asked, fit_calibration(raw, bad, method, times.astype(float)))
    repeated = calibrate(asked, fit_calibration(raw[rows], bad[rows], method))
    assert weighted == pytest.approx(repeated, abs=1e-3)


def test_where_the_score_says_nothing_the_weighted_base_rate_is_the_answer() -> None:
    bad = np.array([1, 0, 0, 1], np.int8)
    found = fit_calibration(-bad.astype(float), bad, CalibrationMethod.logistic, np.array([3.0, 1.0, 1.0, 1.0]))
    assert calibrate(np.array([0.0]), found) == pytest.approx([4 / 6])
