"""The swap set: by hand, by its laws, and by how often its floor holds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import binomtest

from pipelines.credit.profit import Economics
from pipelines.credit.swap_set import Applications, SwapSet, swap_set

ECONOMICS = Economics(loss_given_default=0.5, margin=0.1, funding_cost=0.02)
GOOD, BAD = 0.08, -0.52  # per unit lent


def simulated(seed: int, rows: int = 200) -> tuple[Applications, NDArray[np.bool_], NDArray[np.bool_]]:
    generator = np.random.default_rng(seed)
    pd = generator.beta(1, 5, rows)
    other = expit(logit(pd) + generator.normal(0, 0.7, rows))
    bad = np.where(generator.random(rows) < 0.6, generator.random(rows) < pd, -1).astype(np.int8)
    asked = Applications(bad, generator.random(rows) < 0.1, pd, other, generator.lognormal(5, 0.5, rows))
    return asked, pd < 0.15, other < 0.15


def exchanged(asked: Applications) -> Applications:
    return replace(asked, champion_pd=asked.challenger_pd, challenger_pd=asked.champion_pd)


def test_a_swap_set_by_hand() -> None:
    # given: approved by both; two newly approved, one with a known outcome; one newly declined, bad; declined by both
    asked = Applications(
        bad=np.array([0, 0, -1, 1, -1], dtype=np.int8),
        by_lot=np.array([False, True, False, False, False]),
        champion_pd=np.array([0.05, 0.3, 0.5, 0.1, 0.5]),
        challenger_pd=np.array([0.05, 0.1, 0.2, 0.4, 0.5]),
        amount=np.array([100.0, 50.0, 30.0, 50.0, 70.0]),
    )
    champion = np.array([True, False, False, True, False])
    challenger = np.array([True, True, True, False, False])
    found = swap_set(asked, champion, challenger, ECONOMICS, hidden_odds=2.0)
    assert (found.asked, found.agree_approved, found.agree_declined) == (5, 1, 1)
    new, gone = found.newly_approved, found.newly_declined
    assert (new.rows, new.observed.rows, new.observed.by_lot, new.observed.bad) == (2, 1, 1, 0)
    assert (new.observed.bad_rate, new.observed.profit) == pytest.approx((0, GOOD))
    # then: odds of 1 and of 1/4 have the geometric mean 1/2; the bounds are odds of 1/8 and of 2
    assert (new.inferred.rows, new.inferred.bad_rate) == (1, pytest.approx(1 / 3))
    assert (new.inferred.low, new.inferred.high) == pytest.approx((1 / 9, 2 / 3))
    assert new.inferred.profit_low == pytest.approx(2 / 3 * BAD + 1 / 3 * GOOD)
    assert (gone.rows, gone.observed.rows, gone.observed.bad, gone.inferred.rows) == (1, 1, 1, 0)
    assert gone.inferred.bad_rate is None
    # and: 50 gained on the good, 50 not lost on the bad, per unit of the 200 whose outcome is known
    assert found.observed_change.value == pytest.approx((50 * GOOD - 50 * BAD) / 200)
    # and: of the 100 whose outcome nobody knows, the 30 of the newly approved
    assert found.inferred_change.value == pytest.approx(30 * (1 / 3 * BAD + 2 / 3 * GOOD) / 100)
    assert found.inferred_change.low == pytest.approx(30 * (2 / 3 * BAD + 1 / 3 * GOOD) / 100)


def test_equal_decisions_change_nothing() -> None:
    asked, champion, _ = simulated(0)
    found = swap_set(asked, champion, champion, ECONOMICS, hidden_odds=2.0)
    assert found.agree_approved + found.agree_declined == found.asked
    assert found.newly_approved.rows == found.newly_declined.rows == 0
    for change in (found.observed_change, found.inferred_change):
        assert (change.value, change.low, change.high) == (0, 0, 0)
    assert found.observed_floor == 0


@given(st.integers(0, 10_000))
def test_exchanging_champion_and_challenger_turns_every_sign(seed: int) -> None:
    asked, champion, challenger = simulated(seed)
    found = swap_set(asked, champion, challenger, ECONOMICS, hidden_odds=1.5)
    turned = swap_set(exchanged(asked), challenger, champion, ECONOMICS, hidden_odds=1.5)
    assert (found.newly_approved, found.newly_declined) == (turned.newly_declined, turned.newly_approved)
    for one, other in (
        (found.observed_change, turned.observed_change),
        (found.inferred_change, turned.inferred_change),
    ):
        assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low), abs=1e-12)


def test_bounds_coincide_where_nothing_is_hidden_and_the_models_agree() -> None:
    asked, champion, challenger = simulated(1)
    alike = replace(asked, challenger_pd=asked.champion_pd)
    found = swap_set(alike, champion, challenger, ECONOMICS, hidden_odds=1.0)
    for group in (found.newly_approved.inferred, found.newly_declined.inferred):
        assert group.bad_rate == pytest.approx(group.low) == pytest.approx(group.high)
    assert found.inferred_change.low == pytest.approx(found.inferred_change.high)


@given(st.integers(0, 10_000), st.floats(1, 4))
def test_more_hidden_odds_widen_the_bounds_and_leave_what_was_observed(seed: int, more: float) -> None:
    asked, champion, challenger = simulated(seed)
    narrow, wide = (swap_set(asked, champion, challenger, ECONOMICS, hidden_odds=odds) for odds in (1.2, 1.2 * more))
    assert narrow.observed_change == wide.observed_change
    assert wide.inferred_change.low <= narrow.inferred_change.low + 1e-12
    assert narrow.inferred_change.low <= narrow.inferred_change.value <= narrow.inferred_change.high
    assert narrow.inferred_change.high <= wide.inferred_change.high + 1e-12


def test_the_floor_lies_between_the_lower_end_and_the_value() -> None:
    asked, champion, challenger = simulated(3)
    found = swap_set(asked, champion, challenger, ECONOMICS, hidden_odds=2.0)
    assert found.observed_change.low < found.observed_floor < found.observed_change.value


def test_the_floor_is_above_the_truth_no_more_often_than_it_says_when_few_are_swapped() -> None:
    # given: 30 newly approved at 6% bad and 30 newly declined at 12%, so that a swap often shows no bad at all
    generator, samples, above = np.random.default_rng(5), 500, 0
    rows = 200
    champion, challenger = np.arange(rows) >= 30, np.arange(rows) < rows - 30
    risk = np.where(~champion, 0.06, np.where(~challenger, 0.12, 0.03))
    for _ in range(samples):
        amount = generator.lognormal(0, 0.4, rows)
        bad = (generator.random(rows) < risk).astype(np.int8)
        found = swap_set(
            Applications(bad, np.zeros(rows, bool), risk, risk, amount),
            champion,
            challenger,
            ECONOMICS,
            hidden_odds=1.0,
        )
        expected = amount * (GOOD - (GOOD - BAD) * risk)
        truth = (expected[~champion].sum() - expected[~challenger].sum()) / amount.sum()
        above += found.observed_floor > truth
    assert binomtest(above, samples, 0.05, alternative="greater").pvalue >= 0.01


def test_the_record_is_json_and_sums_nothing() -> None:
    asked, champion, challenger = simulated(2)
    found: SwapSet = swap_set(asked, champion, challenger, ECONOMICS, hidden_odds=2.0)
    record = found.record()
    assert set(record) == {"asked", "agree_approved", "agree_declined", "newly_approved", "newly_declined",
                           "observed_change", "observed_floor", "inferred_change"}  # fmt: skip
    assert set(record["newly_approved"]) == {"rows", "observed", "inferred"}
    assert all(type(one) in (int, float) for one in record["newly_approved"]["observed"].values())
