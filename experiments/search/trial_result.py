"""What a trial of a study answers, and who chooses its parameters; nothing here depends on Optuna."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Parameters = Mapping[str, Any]
"""A candidate's parameters by name, and where families are searched, the one that has them under `FAMILY`."""

SECONDS, COST, TREES, AUCS = "seconds", "cost", "trees", "aucs"
"""Notes of a trial: see `OutOfFold`."""


class Pruned(Exception):
    """A trial was given up before its last fold: it cannot become the best."""


@dataclass(frozen=True)
class ObjectiveValue:
    """The value of an objective at some parameters: the score, the unfairness (if searched for) and notes to keep."""

    value: float
    unfairness: float | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> list[float]:
        """What the study optimises: the highest score, and the least unfairness."""
        return [self.value] if self.unfairness is None else [self.value, self.unfairness]


@dataclass(frozen=True)
class TrialResult(ObjectiveValue):
    """One finished trial: its objective value, number and parameters."""

    number: int = field(kw_only=True)
    parameters: dict[str, Any] = field(kw_only=True)


Objective = Callable[[Parameters, Sequence[TrialResult]], ObjectiveValue]
"""Returns the value of parameters; it may give up (`Pruned`) by comparison with the finished trials before them."""

Guide = Callable[[int, Sequence[TrialResult]], Parameters]
"""Returns the parameters to try from a trial's number and the finished trials before it; the sampler draws the rest."""


def starting_with(first: Parameters) -> Guide:
    """Return a guide whose first trial takes these parameters, so that a study never ends below them."""
    return lambda number, _: first if number == 0 else {}


def best_of(trials: Sequence[TrialResult]) -> TrialResult:
    """Return the trial with the highest score, the earliest of equals."""
    return max(trials, key=lambda trial: (trial.value, -trial.number))
