"""Which trial of a study is registered, as the setting `choose` demands."""

import re
from collections.abc import Sequence
from math import inf, sqrt
from statistics import stdev

from experiments.experiment.settings import Final, TuneSettings
from experiments.search.front import non_dominated
from experiments.search.trial_result import AUCS, COST, TrialResult, best_of
from pipelines.errors import ConfigurationError, listed

BEST, ONE_STANDARD_ERROR = "best", "one_standard_error"

MOST_NAMED = 12


def names_a_trial(choose: str) -> bool:
    """Return whether the setting is the number of a trial.

    >>> names_a_trial("12"), names_a_trial("best")
    (True, False)
    """
    return re.fullmatch("[0-9]+", choose) is not None


def check_choice(settings: TuneSettings) -> None:
    """Check the setting before any data are read.

    Raises:
        ConfigurationError: neither a rule nor a number, or one trial chosen for a blend.
    """
    choose = settings.choose
    if choose not in (BEST, ONE_STANDARD_ERROR) and not names_a_trial(choose):
        raise ConfigurationError(
            f"choose is '{choose}'; use {BEST}, {ONE_STANDARD_ERROR} or the number of a trial, for example choose=3"
        )
    if names_a_trial(choose) and settings.final is Final.blend:
        raise ConfigurationError(
            f"choose={choose} names one trial and final=blend combines several; use final=single, or choose={BEST}"
        )


def chosen_trial(trials: Sequence[TrialResult], choose: str) -> TrialResult:
    """Return the trial with the highest score, the cheapest of those that are as good, or the one that is named.

    As good is what is behind the best by at most the standard error of the paired differences over the folds (Breiman
    et al. 1984 have the rule for single errors). With a second objective the trial is one of the front, and the
    cheapest is the one with its lowest value.

    Raises:
        ConfigurationError: no trial has that number.
    """
    if names_a_trial(choose):
        return _named(trials, int(choose))
    front = trials if trials[0].second is None else non_dominated(trials)
    best = best_of(front)
    if choose == BEST or AUCS not in best.notes:
        return best
    equals = [one for one in front if best.value - one.value <= _standard_error(best, one)]
    return min(equals, key=lambda one: (_price(one), -one.value, one.number))


def _named(trials: Sequence[TrialResult], number: int) -> TrialResult:
    for trial in trials:
        if trial.number == number:
            return trial
    numbers = listed([trial.number for trial in trials], MOST_NAMED)
    raise ConfigurationError(
        f"choose={number} is not a finished trial of this study that meets its constraints; use one of {numbers}"
    )


def _price(trial: TrialResult) -> float:
    return float(trial.notes.get(COST, inf)) if trial.second is None else trial.second


def _standard_error(best: TrialResult, other: TrialResult) -> float:
    differences = [one - two for one, two in zip(best.notes[AUCS], other.notes[AUCS], strict=True)]
    return float(stdev(differences) / sqrt(len(differences)))
