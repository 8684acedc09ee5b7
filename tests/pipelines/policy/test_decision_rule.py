"""A bound is judged by the figure, or by one end of its interval, as the policy says."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.policy.decision_rule import Bound, Decides, Interval

FIGURE, WORST, BEST = Decides.figure, Decides.worst_end, Decides.best_end
NUMBERS = st.floats(-10, 10)


@pytest.mark.parametrize(
    ("bound", "interval", "met"),
    [
        (Bound(low=0.8), Interval(0.8, 0.7, 0.9), [True, False, True]),
        (Bound(low=0.8), Interval(0.75, 0.7, 0.79), [False, False, False]),
        (Bound(low=0.8), Interval(0.85, 0.8, 0.9), [True, True, True]),
        (Bound(high=0.1), Interval(0.12, 0.09, 0.2), [False, False, True]),
        (Bound(0.8, 1.25), Interval(1.0, 0.5, 2.0), [True, False, True]),
        (Bound(0.8, 1.25), Interval(1.4, 1.3, 1.5), [False, False, False]),
        (Bound(0.8, 1.25), Interval(0.5, 0.3, 0.79), [False, False, False]),
    ],
)
def test_each_rule_by_hand(bound: Bound, interval: Interval, met: list[bool]) -> None:
    assert [bound.judge(interval, decides).is_met for decides in (FIGURE, WORST, BEST)] == met


def test_without_an_interval_the_figure_decides() -> None:
    decision = Bound(low=1.0).judge(Interval(2.0), WORST)
    assert (decision.number, decision.excess, decision.decided_by) == (2.0, -1.0, FIGURE)


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS).map(sorted), st.tuples(NUMBERS, NUMBERS).map(sorted))
def test_proof_is_harder_than_the_figure_and_the_figure_harder_than_doubt(
    ends: list[float], range_: list[float]
) -> None:
    low, value, high = ends
    decisions = [Bound(*range_).judge(Interval(value, low, high), one) for one in (WORST, FIGURE, BEST)]
    excesses = [one.excess for one in decisions]
    assert excesses == sorted(excesses, reverse=True)
    # and the number that decides explains the distance
    for one in decisions:
        distance = max(range_[0] - one.number, one.number - range_[1])
        assert math.isclose(distance, one.excess) or one.decided_by is BEST
