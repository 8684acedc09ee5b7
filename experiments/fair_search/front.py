"""The Pareto front of a search with two objectives, accuracy and fairness."""

from collections.abc import Sequence

import numpy as np

from experiments.search.trial_result import TrialResult


def non_dominated(trials: Sequence[TrialResult]) -> list[TrialResult]:
    """Return the Pareto-optimal trials by score and fairness, most accurate first.

    Of trials with the same two values only the earliest is returned.
    """
    front: list[TrialResult] = []
    for trial in sorted(trials, key=lambda one: (-one.value, one.unfairness, one.number)):
        if not front or _unfairness(trial) < _unfairness(front[-1]):
            front.append(trial)
    return front


def feasible(trials: Sequence[TrialResult], largest_loss: float) -> list[TrialResult]:
    """Return the trials whose score is at most `largest_loss` below the best."""
    best = max(trial.value for trial in trials)
    return [trial for trial in trials if trial.value >= best - largest_loss]


def least_unfair(trials: Sequence[TrialResult], comparable_loss: float) -> TrialResult:
    """Return the fairest trial with a score comparable to the best; of equally fair ones the more accurate."""
    return min(feasible(trials, comparable_loss), key=lambda one: (one.unfairness, -one.value, one.number))


def spread(front: Sequence[TrialResult], most: int, always: Sequence[TrialResult]) -> list[TrialResult]:
    """Return up to `most` trials spread over a front, in its order, including those of `always`.

    Farthest-first traversal (Gonzalez 1985) over both values, each scaled to the front's range.
    """
    values = np.array([one.values for one in front])
    scaled = (values - values.min(axis=0)) / np.where(np.ptp(values, axis=0) > 0, np.ptp(values, axis=0), 1.0)
    chosen = [index for index, one in enumerate(front) if one in always]
    while len(chosen) < min(most, len(front)):
        distance = np.linalg.norm(scaled[:, None] - scaled[None, chosen], axis=2).min(axis=1)
        distance[chosen] = -1.0
        chosen.append(int(np.argmax(distance)))
    return [front[index] for index in sorted(chosen)]


def _unfairness(trial: TrialResult) -> float:
    assert trial.unfairness is not None
    return trial.unfairness
