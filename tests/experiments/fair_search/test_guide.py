"""The guide spends accuracy where it closes most of the gap."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from experiments.fair_search.guide import FairGuide, Leverage, cheapest_cuts
from experiments.search.trial_result import Parameters, TrialResult

CONFIGURED = {"depth": 6}
SUSPECTS = ["use/a", "use/b"]
LEVERAGE: Leverage = {"use/a": (0.02, 0.10), "use/b": (0.01, 0.001)}


def leverage_of(parameters: Parameters) -> Leverage:
    return LEVERAGE


def trial(number: int, value: float, gap: float, a: int = 10, b: int = 10, depth: int = 6) -> TrialResult:
    return TrialResult(value, gap, number=number, parameters={"depth": depth, "use/a": a, "use/b": b})


def guided(number: int, earlier: Sequence[TrialResult]) -> Parameters:
    return FairGuide(CONFIGURED, SUSPECTS, 0.005, leverage_of)(number, earlier)


@pytest.mark.parametrize("budget", [0.001, 0.01, 0.03, 0.2])
def test_no_other_cuts_close_more_of_the_gap_for_the_same_loss(budget: float) -> None:
    leverage = {"a": (0.04, 0.1), "b": (0.01, 0.06), "c": (0.03, 0.02)}
    loss, closed = np.array(list(leverage.values())).T
    found = np.array([cheapest_cuts(leverage, budget)[name] for name in leverage])
    assert found**2 @ loss <= budget + 1e-9
    grid = np.array(list(product(np.linspace(0, 1, 41), repeat=3)))
    affordable = grid[(grid**2 @ loss) <= budget]
    assert found @ closed >= (affordable @ closed).max() - 1e-9


def test_it_starts_with_the_candidate_as_configured() -> None:
    assert guided(0, []) == {"depth": 6, "use/a": 10, "use/b": 10}


def test_before_any_trial_has_ended_the_others_tune_the_candidate() -> None:
    assert [guided(number, []) for number in (1, 2, 4)] == [{"use/a": 10, "use/b": 10}] * 3


def test_two_trials_of_a_round_are_weakened_differently() -> None:
    earlier = [trial(0, 0.65, 0.11)]
    first, second = guided(12, earlier), guided(13, earlier)
    assert first != second
    assert max(first["use/a"], second["use/a"]) < 10


def test_it_weakens_the_group_that_the_gap_hangs_on_and_leaves_chance_alone() -> None:
    told = guided(4, [trial(0, 0.60, 0.10), trial(1, 0.65, 0.11, depth=4)])
    assert told["depth"] == 4
    assert told["use/a"] == 5  # a cut by half loses a quarter of 0.02, which is all that may be lost
    assert told["use/b"] == 10


def test_what_was_tried_is_not_tried_again() -> None:
    earlier = [trial(0, 0.65, 0.11), trial(1, 0.645, 0.06, a=5)]
    assert guided(4, earlier)["use/a"] not in (5, 10)


def test_the_other_trials_tune_a_candidate_that_uses_everything_or_are_free() -> None:
    earlier = [trial(0, 0.65, 0.11)]
    assert guided(6, earlier) == {"use/a": 10, "use/b": 10}
    assert guided(11, earlier) == {}
