"""What a trial is judged by: the cross-validated AUC of its parameters on the development part."""

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import fmean, median, stdev
from typing import Any

from experiments.experiment.settings import SecondObjective
from experiments.search.calibration_error import calibration_error
from experiments.search.out_of_fold import CrossValidation, OutOfFold
from experiments.search.second_objective import second_objective_of
from experiments.search.trial_result import (
    AUCS,
    CALIBRATION,
    COST,
    SECONDS,
    TREES,
    WRONG_WAY,
    Objective,
    ObjectiveValue,
    Parameters,
    TrialResult,
    best_of,
)

HOPELESS = 3.0
"""A trial is given up when it is so many standard errors behind the best one on its first folds."""

FEWEST_FINISHED = 4
"""So many trials must have finished before one is given up: they show how much differences vary between folds."""


def objective_of(validation: CrossValidation) -> Objective:
    """Return the objective of a study."""
    second = second_objective_of(validation.experiment.settings)

    def cross_validated_auc(parameters: Parameters, earlier: Sequence[TrialResult]) -> ObjectiveValue:
        scores = validation.evaluate(parameters, behind_best(earlier))
        notes: dict[str, Any] = {SECONDS: round(scores.seconds, 3), COST: scores.cost, TREES: scores.trees}
        # The long list comes last: optuna-dashboard shows the beginning.
        notes |= {**_also_noted(validation, scores), AUCS: list(scores.aucs)}
        return ObjectiveValue(scores.value, None if second is None else notes[second.note], notes)

    return cross_validated_auc


def _also_noted(validation: CrossValidation, scores: OutOfFold) -> dict[str, float]:
    """Return the notes that the constraints of a study, or its second objective, need."""
    notes, settings = {} if scores.wrong_way is None else {WRONG_WAY: scores.wrong_way}, validation.experiment.settings
    if settings.constraints.calibration is not None or settings.second_objective is SecondObjective.calibration:
        notes[CALIBRATION] = calibration_error(validation, scores)
    return notes


def behind_best(earlier: Sequence[TrialResult]) -> Callable[[Sequence[float]], bool]:
    """Return a rule that says of the AUCs on the first folds whether the trial is hopelessly behind the best one.

    The standard error of a mean difference comes from how the differences between the earlier trials and the best one
    vary over the folds (their median standard deviation). Nothing is behind a best one that breaks a constraint,
    and with a second objective a lower score may be on the front.
    """
    if len(earlier) < FEWEST_FINISHED:
        return lambda _: False
    best = best_of(earlier)
    if best.breach or best.second is not None:
        return lambda _: False
    rival = best.notes[AUCS]
    others = [trial.notes[AUCS] for trial in earlier if trial.notes[AUCS] != rival]  # not the same parameters again
    if not others:
        return lambda _: False
    deviation = median(stdev(one - two for one, two in zip(rival, aucs, strict=True)) for aucs in others)

    def is_hopeless(aucs: Sequence[float]) -> bool:
        difference = fmean(other - one for one, other in zip(aucs, rival, strict=False))
        return bool(difference > HOPELESS * deviation / sqrt(len(aucs)))

    return is_hopeless
