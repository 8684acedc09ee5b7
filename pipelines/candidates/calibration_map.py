"""The calibration map: from raw log-odds to the probability of default, fitted on rows the model had not seen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.settings import CalibrationMethod


def fit_calibration(
    log_odds: NDArray[np.float64],
    bad: NDArray[np.int8],
    method: CalibrationMethod,
    weights: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Return the map that `portable_model.calibrate` applies, fitted on held-out log-odds and outcomes, shape (n,).

    `weights` say how many rows each one counts for.

    `logistic` is Platt's (1999) sigmoid on the log-odds; `isotonic` is the monotone map of Zadrozny and Elkan (2002),
    straight between its steps and kept away from 0 and 1 by half a row.
    """
    if method is CalibrationMethod.none:
        return {"method": "none", "slope": 1.0, "intercept": 0.0}
    if method is CalibrationMethod.logistic:
        return _logistic(log_odds, bad, weights)
    return _isotonic(log_odds, bad, weights)


def _logistic(
    log_odds: NDArray[np.float64], bad: NDArray[np.int8], weights: NDArray[np.float64] | None
) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=np.inf).fit(log_odds[:, None], bad, sample_weight=weights)
    if fitted.coef_[0, 0] < 0:  # a score that ranks the wrong way round says nothing: the base rate is the answer
        rate = float(np.average(bad, weights=weights))
        return {"method": "logistic", "slope": 0.0, "intercept": float(np.log(rate / (1 - rate)))}
    return {"method": "logistic", "slope": float(fitted.coef_[0, 0]), "intercept": float(fitted.intercept_[0])}


def _isotonic(
    log_odds: NDArray[np.float64], bad: NDArray[np.int8], weights: NDArray[np.float64] | None
) -> dict[str, Any]:
    from sklearn.isotonic import IsotonicRegression

    edge = 0.5 / len(bad)
    fitted = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip").fit(
        log_odds, bad, sample_weight=weights
    )
    return {
        "method": "isotonic",
        "log_odds": fitted.X_thresholds_.tolist(),
        "probability": fitted.y_thresholds_.tolist(),
    }
