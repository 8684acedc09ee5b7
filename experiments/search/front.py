"""The Pareto front of the trials of a study with two objectives."""

from collections.abc import Sequence

import numpy as np

from experiments.search.trial_result import TrialResult


def non_dominated(trials: Sequence[TrialResult]) -> list[TrialResult]:
    """Return the Pareto-optimal trials by score and second objective, those of the highest scores first.

    Of trials with the same two values only the earliest is returned.
    """
    front: list[TrialResult] = []
    for trial in sorted(trials, key=lambda one: (-one.value, one.second, one.number)):
        if not front or second_of(trial) < second_of(front[-1]):
            front.append(trial)
    return front


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


def second_of(trial: TrialResult) -> float:
    """Return the value of a trial's second objective."""
    assert trial.second is not None
    return trial.second
