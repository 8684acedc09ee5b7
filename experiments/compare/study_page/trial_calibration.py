"""Calibration of trials: their out-of-fold probabilities against the outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import sqrt
from statistics import NormalDist

import numpy as np

from experiments.compare.study_page.refits import Refits
from experiments.compare.study_page.search_facts import Record
from experiments.experiment.recorded_settings import FAMILY
from experiments.search.trial_result import TrialResult
from pipelines.credit.calibration import calibration_curve
from pipelines.credit.importance import recalibrate

MOST_TRIALS = 4
GROUPS = 10
CONFIDENCE = 0.95


def best_few(trials: Sequence[TrialResult]) -> list[TrialResult]:
    """Return the best trial of each family, best first; where one family is searched, its best trials."""
    ranked = sorted(trials, key=lambda trial: trial.rank)
    of_each: dict[object, TrialResult] = {}
    for trial in ranked:
        of_each.setdefault(trial.parameters.get(FAMILY, trial.number), trial)
    return list(of_each.values())[:MOST_TRIALS]


def trial_calibration(refits: Refits, trials: Sequence[TrialResult]) -> Record:
    """Return the calibration of trials before any calibration map, on rows that their models were not fitted on."""
    return {"trials": [_calibration(refits, trial) for trial in trials]}


def _calibration(refits: Refits, trial: TrialResult) -> Record:
    bad = np.concatenate([refits.experiment.development.bad[fold.held_out] for fold in refits.division])
    log_odds = np.concatenate(refits.log_odds(refits.parameters_of(trial), refits.division))
    refits.done(f"calibration of trial {trial.number}")
    probability = 1 / (1 + np.exp(-log_odds))
    curve = calibration_curve(bad, probability, groups=GROUPS, confidence=CONFIDENCE)
    return {
        "trial": trial.number,
        "family": trial.parameters.get(FAMILY, refits.experiment.family),
        "rows": len(bad),
        "curve": [asdict(point) for point in curve],
        **_slope_and_intercept(bad, probability),
    }


def _slope_and_intercept(bad: np.ndarray, probability: np.ndarray) -> Mapping[str, Record | None]:
    """Return slope and intercept of logit P(bad) = a + b logit(p) (Cox 1958), with intervals; None where undefined."""
    if probability.min() == probability.max():
        return {"slope": None, "intercept": None}
    fitted, reach = recalibrate(bad, probability), NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    errors = [reach * sqrt(fitted.covariance[place][place]) for place in (0, 1)]
    return {
        "slope": _estimate(fitted.slope, errors[1]),
        "intercept": _estimate(fitted.intercept, errors[0]),
    }


def _estimate(value: float, reach: float) -> Record:
    return {"value": value, "low": value - reach, "high": value + reach}
