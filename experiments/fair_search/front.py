"""The trials of a fair search that are accurate enough, and the fairest of them."""

from collections.abc import Sequence

from experiments.search.trial_result import Constraint, ObjectiveValue, TrialResult


def comparable(trials: Sequence[TrialResult], largest_loss: float) -> list[TrialResult]:
    """Return the trials whose score is at most `largest_loss` below the best."""
    best = max(trial.value for trial in trials)
    return [trial for trial in trials if trial.value >= best - largest_loss]


def least_unfair(trials: Sequence[TrialResult], comparable_loss: float) -> TrialResult:
    """Return the fairest trial with a score comparable to the best; of equally fair ones the more accurate."""
    return min(comparable(trials, comparable_loss), key=lambda one: (one.second, -one.value, one.number))


def loss_at_most(largest_loss: float) -> Constraint:
    """Return the constraint that a score is at most `largest_loss` below the best before it."""

    def loss(answer: ObjectiveValue, earlier: Sequence[TrialResult]) -> float:
        return max([answer.value, *(one.value for one in earlier)]) - answer.value - largest_loss

    return loss
