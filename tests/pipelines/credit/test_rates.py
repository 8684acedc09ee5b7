"""Intervals of rates and ratios against published figures, scipy and their own laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from scipy.stats.contingency import relative_risk

from pipelines.credit.rates import katz_interval, weighted_rate, wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17:857, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_agrees_with_newcombe(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials, 0.95) == pytest.approx((low, high), abs=5e-5)


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


@pytest.mark.parametrize(("events", "trials", "others", "other_trials"), [(30, 80, 60, 100), (5, 9, 7, 300)])
def test_katz_interval_agrees_with_scipy(events: int, trials: int, others: int, other_trials: int) -> None:
    theirs = relative_risk(events, trials, others, other_trials).confidence_interval(0.9)
    found = katz_interval(events, trials, others, other_trials, 0.9)
    assert found == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_katz_interval_of_nobody_is_below_one_and_still_open() -> None:
    low, high = katz_interval(0, 50, 40, 50, 0.95)
    assert 0 < low < high < 0.3


@given(st.integers(1, 60), st.data())
def test_equal_weights_have_wilsons_interval(trials: int, data: st.DataObject) -> None:
    events = np.array(data.draw(st.lists(st.integers(0, 1), min_size=trials, max_size=trials)), dtype=np.int8)
    rate, low, high = weighted_rate(events, np.full(trials, 7.5), 0.95)
    assert rate == pytest.approx(events.mean())
    assert (low, high) == pytest.approx(wilson_interval(int(events.sum()), trials, 0.95), abs=1e-9)


@pytest.mark.parametrize("weight", [7.5, 0.1, 1 / 3, 1e-7, 3e11])
@pytest.mark.parametrize("event", [0, 1])
def test_where_all_or_none_are_bad_the_interval_is_wilsons(event: int, weight: float) -> None:
    for trials in range(1, 300):
        measured = weighted_rate(np.full(trials, event, np.int8), np.full(trials, weight), 0.95)
        assert measured == pytest.approx((event, *wilson_interval(event * trials, trials, 0.95)), abs=1e-9)


def test_a_loan_that_outweighs_all_others_has_the_interval_of_one() -> None:
    measured = weighted_rate(np.array([1, 0, 0], np.int8), np.array([1e20, 1.0, 0.0]), 0.95)
    assert measured == pytest.approx((1, *wilson_interval(1, 1, 0.95)), abs=1e-9)


def test_the_interval_of_a_weighted_rate_holds_the_truth_about_as_often_as_it_says() -> None:
    # given: loans of very different amounts, the large ones worse: 8% of the rows and more of the amount go bad
    generator, held, samples = np.random.default_rng(3), 0, 600
    amount_of = np.exp(np.random.default_rng(4).normal(0, 0.8, 1_000_000))
    truth = float(np.average(np.minimum(0.06 * amount_of**0.5, 1), weights=amount_of))
    for _ in range(samples):
        amount = generator.choice(amount_of, 150)
        events = (generator.random(150) < 0.06 * amount**0.5).astype(np.int8)
        _, low, high = weighted_rate(events, amount, 0.95)
        held += low <= truth <= high
    assert held / samples >= 0.92
