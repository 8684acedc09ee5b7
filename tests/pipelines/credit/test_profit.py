"""Profit and the cut-off table, by hand, by law and by how often an interval holds the truth."""

import numpy as np
import pytest

from pipelines.credit.profit import CutOff, Economics, cutoff_table, observed_profit, profit
from pipelines.credit.rates import wilson_interval

ECONOMICS = Economics(loss_given_default=0.5, margin=0.1, funding_cost=0.02)


def test_the_profit_of_known_loans_is_what_each_earned() -> None:
    bad, amount = np.array([0, 1, 0], dtype=np.int8), np.array([100.0, 50.0, 10.0])
    value, low, high = observed_profit(bad, amount, ECONOMICS, 0.95)
    assert value == pytest.approx(100 * 0.08 - 50 * 0.52 + 10 * 0.08)
    assert value == pytest.approx(profit(bad, amount, ECONOMICS).sum())
    assert low < value < high


def test_loans_of_which_none_went_bad_may_still_have_made_a_loss() -> None:
    value, low, high = observed_profit(np.zeros(10, dtype=np.int8), np.full(10, 10.0), ECONOMICS, 0.95)
    worst = wilson_interval(0, 10, 0.95)[1]
    assert (value, high) == pytest.approx((8.0, 8.0))
    assert low == pytest.approx(100 * (0.1 * (1 - worst) - 0.5 * worst - 0.02))
    assert low < 0


def test_a_cut_off_table_by_hand() -> None:
    # given: five who asked, of whom the safest has no outcome
    bad = np.array([-1, 0, 1, 0, 1], dtype=np.int8)
    points, amount = np.array([700, 650, 600, 600, 500]), np.array([10.0, 20.0, 20.0, 30.0, 30.0])
    table = cutoff_table(bad, points, amount, ECONOMICS, [600], policy=650)
    assert [(row.approve_from, row.is_policy) for row in table] == [(600, False), (650, True)]
    # then: four of five are approved; three outcomes among them, one bad; profit per unit of the 100 with an outcome
    assert table[0].approval_rate == pytest.approx(0.8)
    assert table[0].bad_rate == pytest.approx(1 / 3)
    assert (table[0].bad_rate_low, table[0].bad_rate_high) == pytest.approx(wilson_interval(1, 3, 0.95))
    assert table[0].profit == pytest.approx((20 * 0.08 - 20 * 0.52 + 30 * 0.08) / 100)
    assert (table[1].approval_rate, table[1].bad_rate, table[1].profit) == pytest.approx((0.4, 0, 20 * 0.08 / 100))


def test_a_cut_off_that_approves_nobody_earns_nothing_and_has_no_bad_rate() -> None:
    row = cutoff_table(np.array([0, 1], dtype=np.int8), np.array([500, 510]), np.ones(2), ECONOMICS, [], policy=900)[0]
    assert row == CutOff(900, True, 0.0, None, None, None, 0.0, 0.0, 0.0)


def test_without_any_outcome_only_the_approval_rate_is_told() -> None:
    row = cutoff_table(np.array([-1, -1], dtype=np.int8), np.array([500, 900]), np.ones(2), ECONOMICS, [], policy=600)[
        0
    ]
    assert (row.approval_rate, row.bad_rate, row.profit) == (0.5, None, None)


def test_a_higher_cut_off_approves_fewer() -> None:
    generator = np.random.default_rng(0)
    points = generator.integers(350, 951, 500)
    bad = (generator.random(500) < 0.1).astype(np.int8)
    table = cutoff_table(bad, points, np.ones(500), ECONOMICS, range(350, 951, 50), policy=550)
    rates = [row.approval_rate for row in table]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == 1
