"""What a trial of a study answers, and who chooses its parameters; nothing here depends on Optuna."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.experiment.recorded_settings import FAMILY

Parameters = Mapping[str, Any]
"""A candidate's parameters by name, and where families are searched, the one that has them under `FAMILY`."""

SECONDS, COST, TREES, AUCS = "seconds", "cost", "trees", "aucs"
"""Notes of a trial: see `OutOfFold`."""

CALIBRATION, WRONG_WAY = "calibration_error", "wrong_way"
"""Notes of a trial where the study needs them: see `calibration_error`, and `OutOfFold`."""

NOTES, FAILURE = "notes", "failure"
"""Under these names a stored trial keeps its notes, and a failed one the message of its error."""

FOLDS = "folds"
"""Under this name a study keeps the record of its folds: see `folds_record`."""


class Pruned(Exception):
    """A trial was given up before its last fold, because it cannot become the best; `aucs` are those of its folds."""

    def __init__(self, aucs: Sequence[float] = ()) -> None:
        super().__init__()
        self.aucs = aucs


@dataclass(frozen=True)
class ObjectiveValue:
    """What an objective returns for some parameters.

    Attributes:
        value: The score; higher is better.
        second: The value of the second objective, of which lower is better; None without one.
        notes: What else the trial keeps.
    """

    value: float
    second: float | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> list[float]:
        """What the study optimises: the highest score, and the lowest value of the second objective."""
        return [self.value] if self.second is None else [self.value, self.second]


@dataclass(frozen=True)
class TrialResult(ObjectiveValue):
    """One finished trial: its objective value, number, parameters, and by how much it breaks each constraint."""

    number: int = field(kw_only=True)
    parameters: dict[str, Any] = field(kw_only=True)
    constraints: Mapping[str, float] = field(kw_only=True, default_factory=dict)

    @property
    def breach(self) -> float:
        """The sum of what the trial breaks its constraints by, 0 where it meets them all (as Optuna's TPE ranks)."""
        return sum(value for value in self.constraints.values() if value > 0)

    @property
    def rank(self) -> tuple[float, float, int]:
        """Sorts trials: those that meet the constraints first, by their scores, the earliest of equals first."""
        return self.breach, -self.value, self.number


Objective = Callable[[Parameters, Sequence[TrialResult]], ObjectiveValue]
"""Returns the value of parameters; it may give up (`Pruned`) by comparison with the finished trials before them."""

Constraint = Callable[[ObjectiveValue, Sequence[TrialResult]], float]
"""Returns by how much a trial breaks a constraint, at most 0 where it meets it, given the finished trials before it."""

Guide = Callable[[int, Sequence[TrialResult]], Parameters]
"""Returns the parameters to try from a trial's number and the finished trials before it; the sampler draws the rest."""


def starting_with(*first: Parameters) -> Guide:
    """Return a guide whose first trials take these parameters, so that a study never ends below them."""
    return lambda number, _: first[number] if number < len(first) else {}


def best_of(trials: Sequence[TrialResult]) -> TrialResult:
    """Return the trial with the highest score of those that meet the constraints, the earliest of equals.

    Where no trial meets them, the one that breaks them least is returned.
    """
    return min(trials, key=lambda trial: trial.rank)


def with_family(parameters: Parameters) -> Parameters:
    """Return a trial's parameters as they are stored: where families are searched, named FAMILY.NAME."""
    if FAMILY not in parameters:
        return parameters
    return {name if name == FAMILY else f"{parameters[FAMILY]}.{name}": value for name, value in parameters.items()}


def without_family(parameters: Parameters) -> dict[str, Any]:
    """Return a trial's parameters under their own names."""
    if FAMILY not in parameters:
        return dict(parameters)
    return {name.removeprefix(f"{parameters[FAMILY]}."): value for name, value in parameters.items()}
