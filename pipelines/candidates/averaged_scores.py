"""Calibrates averages: from the held-out scores of single models to those that their average would give.

A calibration map is fitted on held-out scores, and an average has none: each row was seen by all its models but one.
Held-out scores of single models vary more than the average, which has less of the models' noise, so their map would be
too flat. Averages fitted without each fold would take K (K - 1) fits for K folds. How much less an average varies is
measured in one fold instead; outcomes play no part in it, so that a few hundred rows are enough.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipelines.applications.splits import Fold
from pipelines.candidates.blocks import IN_EVERY_MODEL, random_blocks, smallest_blocks
from pipelines.candidates.calibration_map import fit_calibration
from pipelines.candidates.candidate import Candidate
from pipelines.candidates.portable_model import Columns, calibrate
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CalibrationMethod

Floats = NDArray[np.float64]


@runtime_checkable
class Averaged(Protocol):
    """A scorer that is the mean of `members`, or a single model if it has one."""

    @property
    def members(self) -> int:
        """How many members there are."""

    def member_log_odds(self, columns: Columns) -> Floats:
        """Return the log-odds of the members, shape (members, n)."""


def of_single_models(sample: Sample) -> Sample:
    """Return a sample from which a candidate fits single models in place of averages."""
    return replace(sample, blocks=np.zeros(len(sample.bad), np.intp))


def fit_averaged(
    scores: Floats, bad: NDArray[np.int8], method: CalibrationMethod, weights: Floats | None, ratio: float
) -> dict[str, Any]:
    """Return the calibration map of an average from held-out scores of single models (see `fit_calibration`).

    `ratio` is that of the variances (see `variance_ratio`). A slope on log-odds is a covariance with the outcome over a
    variance, and an average has the covariance of its models: scores that shrink by the ratio have the slope of the
    average. The level is set so that scores with the variance of the average have the mean of the outcomes.
    """
    from scipy.optimize import brentq

    mean, rate = np.average(scores, weights=weights), np.average(bad, weights=weights)
    narrow, like_average = (mean + (scores - mean) / divisor for divisor in (ratio, np.sqrt(ratio)))
    mapped = fit_calibration(narrow, bad, method, weights)
    if method is CalibrationMethod.none:
        return mapped

    def excess(shift: float) -> float:
        return float(np.average(calibrate(like_average + shift, mapped), weights=weights) - rate)

    furthest = np.ptp(scores) + 1.0
    shift = brentq(excess, -furthest, furthest) if excess(-furthest) < 0 < excess(furthest) else 0.0
    return fit_calibration(narrow - shift, bad, method, weights)


def variance_ratio(
    candidate: Candidate, sample: Sample, folds: Sequence[Fold], members: int, *, seed: int, threads: int
) -> float:
    """Return how many times the variance of one model's scores is that of the average of `members` models.

    Measured by two models of the average that is fitted without the fold that leaves the most rows: other pairs have
    nearly the same covariance. The models learn from fewer rows than those of the final average, and their noise falls
    with the number of rows.
    """
    fold = max(folds, key=lambda one: len(one.fit))
    fit, held_out = sample.take(fold.fit), sample.take(fold.held_out)
    blocks = random_blocks(fit.bad, seed) if fit.blocks is None else fit.blocks
    pair, sizes = smallest_blocks(blocks, 2)
    fit = replace(fit, blocks=np.where(np.isin(blocks, pair), blocks, IN_EVERY_MODEL))
    scorer = candidate.fit(fit, seed=seed, threads=threads)
    covariance = np.atleast_2d(np.cov(scorer.member_log_odds(held_out.columns), aweights=held_out.weights))
    if len(covariance) < 2:
        return 1.0
    variance = np.trace(covariance) / len(covariance)
    shared = (covariance.sum() - np.trace(covariance)) / (len(covariance) * (len(covariance) - 1))
    rows = (len(fit.bad) - sizes.mean()) / (len(sample.bad) * (1 - 1 / members))
    averaged = variance - (variance - shared) * rows * (1 - 1 / members)
    return float(variance / averaged) if averaged > 0 else 1.0
