"""Logistic recalibration: how far the log-odds of a model must be shifted and stretched to fit the outcomes."""

import numpy as np

from pipelines.credit.arrays import Floats
from pipelines.credit.tally import Tally

STEEPEST = 100.0
"""What a slope is called from here on: outcomes that the score separates entirely have no finite one."""

NEAREST_TO_CERTAIN = 1e-12
STEPS = 60
CLOSE = 1e-10


def calibration_slope_of(counts: Tally) -> float:
    """Return the slope b of logit P(bad) = a + b logit(p), fitted by maximum likelihood (Cox 1958); 1 is calibrated.

    Below 1 the probabilities are too extreme, as those of an overfitted model are; above 1 too timid. A single
    probability for all has the slope 0, scores that separate good from bad entirely have `STEEPEST` or its negative.
    Probabilities are held 1e-12 away from 0 and 1.

    >>> from pipelines.credit.tally import tally
    >>> bad, probability = np.array([0, 0, 0, 1, 0, 1, 1, 1], dtype=np.int8), np.repeat([0.1, 0.9], 4)
    >>> round(calibration_slope_of(tally(bad, probability)), 6)  # ln 3 / ln 9
    0.5
    """
    return recalibration_of(counts)[1]


def recalibration_of(counts: Tally) -> tuple[float, float]:
    """Return intercept a and slope b of logit P(bad) = a + b logit(p), fitted together; see `calibration_slope_of`.

    Counts may be weighted. Where the slope is none of maximum likelihood (one probability for all, or outcomes that
    are entirely separated) the intercept is that of the mean log-odds.
    """
    counts = counts.with_rows()
    log_odds = log_odds_of(counts.score)
    middle, level = log_odds.mean(), np.log(counts.bad.sum() / counts.good.sum())
    if log_odds[0] == log_odds[-1]:
        return float(level), 0.0
    if separated := _separated(counts):
        return float(level - separated * STEEPEST * middle), separated * STEEPEST
    design = np.vstack([np.ones_like(log_odds), log_odds - middle])
    fitted = _fit(counts, design, np.zeros_like(log_odds), np.array([level, 0.0]))
    slope = float(np.clip(fitted[1], -STEEPEST, STEEPEST))
    return float(fitted[0] - slope * middle), slope


def calibration_intercept_of(counts: Tally) -> float:
    """Return the intercept a of logit P(bad) = a + logit(p), the slope held at 1: calibration in the large (Cox 1958).

    0 is calibrated; above 0 the model expects too few bad. In log-odds: exp(a) is the factor on the odds of bad.

    >>> from pipelines.credit.tally import tally
    >>> round(calibration_intercept_of(tally(np.array([0, 1], dtype=np.int8), np.array([0.2, 0.2]))), 6)  # ln 4
    1.386294
    """
    log_odds = log_odds_of(counts.score)
    start = np.log(counts.bad.sum() / counts.good.sum()) - np.average(log_odds, weights=counts.rows)
    return float(_fit(counts, np.ones((1, len(log_odds))), log_odds, np.array([start]))[0])


def log_odds_of(probability: Floats) -> Floats:
    """Return the log-odds of probabilities, held 1e-12 away from 0 and 1."""
    p = np.clip(probability, NEAREST_TO_CERTAIN, 1 - NEAREST_TO_CERTAIN)
    return np.asarray(np.log(p) - np.log1p(-p))


def _separated(counts: Tally) -> int:
    """Return 1 where every bad scores at or above every good, -1 the other way round, 0 where neither holds."""
    bads, goods = counts.score[counts.bad > 0], counts.score[counts.good > 0]
    return int(bads[0] >= goods[-1]) - int(goods[0] >= bads[-1])


def _fit(counts: Tally, design: Floats, offset: Floats, start: Floats) -> Floats:
    """Return the maximum-likelihood coefficients of a logistic model, shape (d,), for a design of shape (d, k).

    Newton's method; a step that would lower the likelihood is halved until it does not.
    """
    beta, log_odds = start, offset + start @ design
    surprise = np.logaddexp(0, log_odds)  # of a good outcome: the negative logarithm of its probability
    for _ in range(STEPS):
        # Each probability from its own logarithm: one less its complement would be 0 where the model is almost certain.
        good, bad = np.exp(-surprise), np.exp(log_odds - surprise)
        gradient = design @ (counts.bad * good - counts.good * bad)
        curvature = (design * (counts.rows * good * bad)) @ design.T
        step = np.asarray(np.linalg.lstsq(curvature, gradient)[0], np.float64)
        height = counts.bad @ log_odds - counts.rows @ surprise
        while True:
            log_odds = offset + (beta + step) @ design
            surprise = np.logaddexp(0, log_odds)
            if np.abs(step).max() < CLOSE:
                return beta + step
            if counts.bad @ log_odds - counts.rows @ surprise >= height:
                break
            step = step / 2
        beta = beta + step
    return beta
