"""The calibration error of a trial, measured on rows that neither its models nor the calibration map learnt from."""

from collections.abc import Sequence
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from experiments.search.out_of_fold import CrossValidation, OutOfFold
from pipelines.candidates.calibration_map import fit_calibration
from pipelines.candidates.portable_model import calibrate
from pipelines.candidates.settings import CalibrationMethod
from pipelines.credit.calibration import expected_calibration_error_of
from pipelines.credit.tally import tally

Floats = NDArray[np.float64]
Scored = tuple[Floats, NDArray[np.int8], Floats | None]
"""Log-odds, outcomes and weights of the held-out rows of a fold."""


def calibration_error(validation: CrossValidation, scores: OutOfFold) -> float:
    """Return the calibration error of a trial's out-of-fold scores; see `cross_fitted_error`."""
    experiment = validation.experiment
    held_out = [experiment.development.take(fold.held_out) for fold in validation.folds]
    scored = [(log_odds, rows.bad, rows.weights) for log_odds, rows in zip(scores.log_odds, held_out, strict=True)]
    number, method = len(experiment.split.folds), experiment.settings.candidate.calibration
    return cross_fitted_error([scored[first : first + number] for first in range(0, len(scored), number)], method)


def cross_fitted_error(divisions: Sequence[Sequence[Scored]], method: CalibrationMethod) -> float:
    """Return the expected calibration error out of fold, the mean over several divisions of the rows into folds.

    The rows of each fold get probabilities from a calibration map that is fitted on the other folds (cross-fitting,
    Chernozhukov et al. 2018), as the registered model's is on all of them. The error is the mean distance between
    predicted and observed bad rates over ten groups of equal size (Naeini, Cooper and Hauskrecht 2015). Chance alone
    gives a calibrated score about 0.8 sqrt(10 p (1 - p) / n), for n rows of which a share p is bad.
    """
    return fmean(_error(division, method) for division in divisions)


def _error(folds: Sequence[Scored], method: CalibrationMethod) -> float:
    probabilities = []
    for number, (log_odds, _, _) in enumerate(folds):
        others = [one for other, one in enumerate(folds) if other != number]
        weights = [one for _, _, one in others if one is not None]
        scores, bad = (np.concatenate([one[part] for one in others]) for part in (0, 1))
        mapped = fit_calibration(scores, bad, method, np.concatenate(weights) if weights else None)
        probabilities.append(calibrate(log_odds, mapped))
    return expected_calibration_error_of(
        tally(np.concatenate([bad for _, bad, _ in folds]), np.concatenate(probabilities))
    )
