"""What a trial is judged by: the cross-validated AUC of its parameters on the development part."""

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import fmean, median, stdev

from experiments.search.out_of_fold import CrossValidation
from experiments.search.trial_result import (
    AUCS,
    COST,
    SECONDS,
    TREES,
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

    def cross_validated_auc(parameters: Parameters, earlier: Sequence[TrialResult]) -> ObjectiveValue:
        scores = validation.evaluate(parameters, behind_best(earlier))
        notes = {AUCS: list(scores.aucs), TREES: scores.trees, COST: scores.cost, SECONDS: round(scores.seconds, 3)}
        return ObjectiveValue(scores.value, notes=notes)

    return cross_validated_auc


def behind_best(earlier: Sequence[TrialResult]) -> Callable[[Sequence[float]], bool]:
    """Return a rule that says of the AUCs on the first folds whether the trial is hopelessly behind the best one.

    The standard error of a mean difference comes from how the differences between the earlier trials and the best one
    vary over the folds (their median standard deviation).
    """
    if len(earlier) < FEWEST_FINISHED:
        return lambda _: False
    best = best_of(earlier)
    rival = best.notes[AUCS]
    others = [trial.notes[AUCS] for trial in earlier if trial.notes[AUCS] != rival]  # not the same parameters again
    if not others:
        return lambda _: False
    deviation = median(stdev(one - two for one, two in zip(rival, aucs, strict=True)) for aucs in others)

    def is_hopeless(aucs: Sequence[float]) -> bool:
        difference = fmean(other - one for one, other in zip(aucs, rival, strict=False))
        return bool(difference > HOPELESS * deviation / sqrt(len(aucs)))

    return is_hopeless
