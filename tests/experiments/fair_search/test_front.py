"""The front agrees with a comparison of every trial with every other."""

from hypothesis import given
from hypothesis import strategies as st

from experiments.fair_search.front import comparable, least_unfair
from experiments.search.front import non_dominated, spread
from experiments.search.trial_result import TrialResult

COARSE = st.integers(0, 6).map(lambda tenths: tenths / 10)  # coarse, so that values tie
TRIALS = st.lists(st.tuples(COARSE, COARSE), min_size=1, max_size=30).map(
    lambda values: [TrialResult(*pair, number=number, parameters={}) for number, pair in enumerate(values)]
)


def dominates(one: TrialResult, other: TrialResult) -> bool:
    assert one.second is not None
    assert other.second is not None
    at_least = one.value >= other.value and one.second <= other.second
    return at_least and one.values != other.values


@given(TRIALS)
def test_the_front_is_what_no_other_trial_dominates(trials: list[TrialResult]) -> None:
    front = non_dominated(trials)
    undominated = [one for one in trials if not any(dominates(other, one) for other in trials)]
    assert {tuple(one.values) for one in front} == {tuple(one.values) for one in undominated}
    assert [one.value for one in front] == sorted({one.value for one in undominated}, reverse=True)
    assert all(one.number == min(other.number for other in trials if other.values == one.values) for one in front)


@given(TRIALS, COARSE)
def test_the_recommended_trial_is_comparable_and_none_of_those_is_fairer(
    trials: list[TrialResult], loss: float
) -> None:
    found, best = least_unfair(trials, loss), max(one.value for one in trials)
    assert found.value >= best - loss
    assert found in comparable(trials, loss)
    fairer = [one for one in trials if one.value >= best - loss and (one.second or 0) < (found.second or 0)]
    assert not fairer


@given(TRIALS, st.integers(1, 8))
def test_a_spread_keeps_what_must_be_there_and_no_more_than_asked(trials: list[TrialResult], most: int) -> None:
    front = non_dominated(trials)
    chosen = spread(front, most, always=[front[-1]])
    assert front[-1] in chosen
    assert len(chosen) == min(most, len(front))
    assert chosen == [one for one in front if one in chosen]


def test_a_spread_takes_the_ends_before_the_crowd() -> None:
    crowd = [TrialResult(0.9 - step / 100, 0.5 - step / 100, number=step, parameters={}) for step in range(5)]
    far = TrialResult(0.6, 0.1, number=9, parameters={})
    assert spread([*crowd, far], 2, always=[crowd[0]]) == [crowd[0], far]
