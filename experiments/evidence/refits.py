"""Refits a candidate on parts of the development rows, to measure the stability of its ranking."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.evidence.evaluation_set import ScoredVersion
from experiments.experiment.experiment import Experiment
from pipelines.credit.discrimination import mid_ranks
from pipelines.model_store.tags import PARAMETERS

REFITS = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Refits:
    """Scores of the candidate when fitted on four fifths of the development rows at a time.

    `held_out` and `test` are, per refit, the log-odds of the remaining fifth and of the test part; `agreement` is the
    rank correlation of the latter with the version's own scores.
    """

    held_out: list[Floats]
    test: list[Floats]
    agreement: list[float]

    def record(self) -> dict[str, Any]:
        """Return the agreement as JSON values."""
        return {
            "resamples": len(self.agreement),
            "spearman_median": float(np.median(self.agreement)),
            "spearman_low": min(self.agreement),
        }


def refit(experiment: Experiment, parameters: dict[str, Any], answers: Floats) -> Refits:
    """Fit the version's candidate again on each four fifths; `answers` are the version's scores of the test part."""
    study, candidate = experiment.settings, experiment.candidate_with(parameters)
    sample = experiment.sample_with(parameters)
    part = np.random.default_rng(study.seed).permutation(len(sample.bad)) % REFITS
    test, refits = experiment.test.columns, Refits([], [], [])
    for one in range(REFITS):
        fitted = candidate.fit(sample.take(np.flatnonzero(part != one)), seed=study.seed, threads=study.threads)
        refits.held_out.append(fitted.log_odds(sample.take(np.flatnonzero(part == one)).columns))
        refits.test.append(fitted.log_odds(test))
        refits.agreement.append(rank_correlation(refits.test[-1], answers))
    return refits


def parameters_of(scored: ScoredVersion) -> dict[str, Any] | None:
    """Return the parameters of a version's trial, None for a version from elsewhere."""
    parameters = scored.version.tags.get(PARAMETERS)
    return None if parameters is None else dict(json.loads(parameters))


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's rank correlation of two scores, ties sharing their rank; 1 for constant ones that agree.

    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0]))
    -1.0
    """
    first, second = mid_ranks(one), mid_ranks(other)
    if first.std() == 0 or second.std() == 0:
        return float(first.std() == second.std())
    return float(np.clip(np.corrcoef(first, second)[0, 1], -1.0, 1.0))
