"""Intervals of measures: the correction is worked by hand, and holds what it promises where percentiles do not."""

from statistics import NormalDist

import numpy as np
import pytest

from experiments.evaluation import bias_corrected_interval, evaluate

NORMAL = NormalDist()


def test_without_bias_the_interval_is_the_percentiles() -> None:
    draws = np.linspace(-1, 1, 1001)
    assert bias_corrected_interval(0.0, draws.tolist()) == pytest.approx((-0.95, 0.95), abs=1e-6)


def test_the_correction_is_efrons() -> None:
    # given: a value that one standard deviation of the draws lies above, as in Efron (1981): z0 = -1
    draws = np.linspace(0, 1, 100_001)
    low, high = bias_corrected_interval(NORMAL.cdf(-1), draws.tolist())
    assert (low, high) == pytest.approx((NORMAL.cdf(-2 - 1.959964), NORMAL.cdf(-2 + 1.959964)), abs=1e-4)


def test_an_interval_follows_a_change_of_scale() -> None:
    draws = np.random.default_rng(1).gamma(2.0, size=2001)
    on_logs = bias_corrected_interval(0.3, np.log(draws).tolist())
    assert np.exp(on_logs) == pytest.approx(bias_corrected_interval(np.exp(0.3), draws.tolist()), rel=0.01)


def test_a_value_below_all_draws_still_has_an_interval() -> None:
    low, high = bias_corrected_interval(-5.0, [0.0, 1.0, 2.0])
    assert 0 <= low <= high <= 2


def test_the_interval_of_ks_holds_the_truth_about_as_often_as_it_says() -> None:
    # given: normal scores one standard deviation apart, so the true KS is 2 Phi(1/2) - 1 = 0.383
    generator = np.random.default_rng(7)
    truth, held, samples = 2 * NORMAL.cdf(0.5) - 1, 0, 60
    for seed in range(samples):
        bad = (generator.random(300) < 0.3).astype(np.int8)
        probability = 1 / (1 + np.exp(-generator.normal(size=300) - bad))
        found = evaluate(bad, probability, seed=seed).measures["ks"]
        held += found.low <= truth <= found.high
    assert held >= 50  # binomial(60, 0.91): below 50 in 1 of 100 seeds; uncorrected percentiles hold it in about 46
