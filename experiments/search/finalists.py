"""What a study registers: its best trial refitted, the average of that trial's models, or a blend of several trials."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.experiment.experiment import Experiment
from experiments.experiment.recorded_settings import FAMILY, candidate_with
from experiments.experiment.settings import Final, SecondObjective
from experiments.search.chosen_trial import chosen_trial, names_a_trial
from experiments.search.combine import Gain, Member, blend_value, gain, pick
from experiments.search.out_of_fold import CrossValidation
from experiments.search.trial_result import COST, TREES, TrialResult
from pipelines.candidates.early_stopping import StoppableCandidate
from pipelines.errors import ConfigurationError

log = logging.getLogger(__name__)

MOST_MEMBERS = 8
"""So many of the best trials may be parts of a blend."""

MOST_OF_A_FAMILY = 3
"""So many of them may be of one family: different families err differently."""


@dataclass(frozen=True)
class Finalist:
    """A model that a study may register.

    Attributes:
        label: How the version names its trials: '3', 'average of 3', 'blend of 3 (50%), 5 (50%)'.
        value: Cross-validated AUC.
        parameters: Of the best trial, or `parts` of a blend.
        weights: By the number of a trial, its weight.
        cost: Microseconds per row on one core.
        gain: What a blend gains over the best single configuration, None of others.
    """

    label: str
    value: float
    parameters: Mapping[str, Any]
    weights: Mapping[int, float]
    cost: float | None = None
    gain: Gain | None = None

    @classmethod
    def of_trial(cls, experiment: Experiment, trial: TrialResult) -> "Finalist":
        """Return a trial refitted on all rows of the development part."""
        cost = trial.notes.get(COST)
        return cls(str(trial.number), trial.value, fitted_parameters(experiment, trial), {trial.number: 1.0}, cost=cost)

    def record(self) -> dict[str, Any]:
        """Return the finalist as JSON values."""
        measured = {} if self.gain is None else {"gain": self.gain.mean, "gain_se": self.gain.standard_error}
        return {
            "label": self.label,
            "value": self.value,
            "parameters": dict(self.parameters),
            "weights": {str(number): weight for number, weight in self.weights.items()},
            "cost": self.cost,
        } | measured

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "Finalist":
        """Return the finalist that a record describes, without its scores."""
        weights = {int(number): weight for number, weight in record["weights"].items()}
        return cls(record["label"], record["value"], record["parameters"], weights, cost=record["cost"])


def choose_final(experiment: Experiment, validation: CrossValidation, trials: Sequence[TrialResult]) -> Finalist:
    """Return what the study registers, as the settings `final`, `choose` and `max_cost` demand.

    Raises:
        ConfigurationError: an average or a blend is demanded and costs more than `max_cost`.
    """
    settings = experiment.settings
    best = chosen_trial(trials, settings.choose)
    single = Finalist.of_trial(experiment, best)
    final = settings.final
    if final is Final.single or (final is Final.auto and not _may_combine(experiment)):
        return single
    max_cost = inf if settings.max_cost is None else settings.max_cost
    if final is Final.blend or (final is Final.auto and not names_a_trial(settings.choose)):
        blend = _blend(experiment, validation, trials, max_cost)
        if blend is not None and (final is Final.blend or (blend.gain is not None and blend.gain.is_real)):
            return blend
        if final is Final.blend:
            log.warning("no blend of several trials costs at most max_cost=%g and ranks better than one", max_cost)
    if final is Final.auto and not _gains_by_averaging(experiment, best):
        return single
    average = _average(experiment, best)
    assert average.cost is not None
    if average.cost <= max_cost:
        return average
    if final is Final.auto:
        return single
    raise ConfigurationError(
        f"final={final.value} costs {average.cost:.3g} microseconds per row and max_cost is {max_cost:g}; raise "
        "max_cost or set final=single"
    )


def _may_combine(experiment: Experiment) -> bool:
    """Return whether a study may register several models as one unless `final` demands it.

    The points of a front are single models: an average of five costs five times what its point says.
    """
    return experiment.searches_families and experiment.settings.second_objective is SecondObjective.none


def rebuilt(
    experiment: Experiment, trials: Sequence[TrialResult], label: str, weights: Mapping[int, float], value: float
) -> Finalist:
    """Return a registered finalist made again from the record of its trials."""
    if label.isdigit():
        return Finalist.of_trial(experiment, _trial(trials, int(label)))
    if len(weights) == 1:
        return replace(_average(experiment, _trial(trials, next(iter(weights)))), value=value)
    parts = [_blend_part(experiment, _trial(trials, number), weight) for number, weight in weights.items()]
    return Finalist(label, value, {"parts": parts}, weights)


def held_out_scores(
    validation: CrossValidation, trials: Sequence[TrialResult], finalist: Finalist
) -> list[NDArray[np.float64]]:
    """Return the log-odds of each fold's held-out rows: the weighted sum of those of the finalist's trials."""
    parts = [(weight, validation.scores_of(_trial(trials, number))) for number, weight in finalist.weights.items()]
    return [
        np.asarray(sum(weight * one.log_odds[fold] for weight, one in parts))
        for fold in range(len(validation.experiment.split.folds))
    ]


def _trial(trials: Sequence[TrialResult], number: int) -> TrialResult:
    return next(trial for trial in trials if trial.number == number)


def fitted_parameters(experiment: Experiment, trial: TrialResult) -> dict[str, Any]:
    """Return the parameters to refit a trial with: its own, and the number of trees where early stopping chose it."""
    trees = trial.notes.get(TREES)
    if trees is None:
        return dict(trial.parameters)
    candidate = experiment.candidate_with(trial.parameters)
    assert isinstance(candidate, StoppableCandidate)
    return {**trial.parameters, candidate.trees_parameter: trees}


def _average(experiment: Experiment, trial: TrialResult) -> Finalist:
    parts = [_part(experiment, trial, 1.0, average=True)]
    cost = _models(experiment) * float(trial.notes[COST])
    return Finalist(f"average of {trial.number}", trial.value, {"parts": parts}, {trial.number: 1.0}, cost)


def _gains_by_averaging(experiment: Experiment, trial: TrialResult) -> bool:
    """Return whether models of a trial's family differ enough to be averaged: boosted trees do.

    A forest is an average already, and the points of a scorecard are worth more than what averaging adds to it.
    """
    return isinstance(candidate_with(experiment.settings, trial.parameters), StoppableCandidate)


def _models(experiment: Experiment) -> int:
    """Return the number of models of an average."""
    return len(np.unique(experiment.split.blocks))


def _cost(experiment: Experiment, trial: TrialResult) -> float:
    """Return what a trial adds to the cost of a blend, in microseconds per row."""
    return (_models(experiment) if _gains_by_averaging(experiment, trial) else 1) * float(trial.notes[COST])


def _blend(
    experiment: Experiment,
    validation: CrossValidation,
    trials: Sequence[TrialResult],
    max_cost: float,
) -> Finalist | None:
    """Return the blend of the best trials, None where fewer than two trials have a part in it."""
    by_number = {trial.number: trial for trial in _members(trials)}
    bad = [experiment.development.bad[fold.held_out] for fold in validation.folds]
    members = [
        Member(number, validation.scores_of(trial).log_odds, _cost(experiment, trial))
        for number, trial in by_number.items()
    ]
    weights = pick(members, bad, max_cost)
    if len(weights) < 2:
        return None
    shares = ", ".join(f"{number} ({weight:.0%})" for number, weight in weights.items())
    parts = [_blend_part(experiment, by_number[number], weight) for number, weight in weights.items()]
    cost = sum(member.cost for member in members if member.number in weights)
    value = blend_value(members, weights, bad)
    return Finalist(
        f"blend of {shares}",
        value,
        {"parts": parts},
        weights,
        cost,
        gain(members, bad, len(experiment.split.folds), max_cost),
    )


def _blend_part(experiment: Experiment, trial: TrialResult, weight: float) -> dict[str, Any]:
    return _part(experiment, trial, weight, average=_gains_by_averaging(experiment, trial))


def _members(trials: Sequence[TrialResult]) -> list[TrialResult]:
    """Return the trials that may be parts of a blend: the best of each family, then the second best, and so on.

    A family that ranks worse alone may err differently, which is what a blend gains by.
    """
    ranked: dict[Any, list[TrialResult]] = {}
    for trial in sorted(trials, key=lambda one: one.rank):
        ranked.setdefault(trial.parameters.get(FAMILY), []).append(trial)
    in_turn = [own[place] for place in range(MOST_OF_A_FAMILY) for own in ranked.values() if place < len(own)]
    return in_turn[:MOST_MEMBERS]


def _part(experiment: Experiment, trial: TrialResult, weight: float, *, average: bool) -> dict[str, Any]:
    parameters = fitted_parameters(experiment, trial)
    family = parameters.pop(FAMILY, None) or experiment.family
    return {"family": family, "parameters": parameters, "weight": weight, "average": average}
