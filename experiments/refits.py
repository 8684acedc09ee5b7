"""A candidate fitted again on resampled development rows: does it rank the same people the same way?"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.bench import Bench, Judged
from experiments.question import sample_of
from experiments.recorded import candidate_with
from pipelines.calibration_map import fit_calibration
from pipelines.candidates import served
from pipelines.credit.discrimination import mid_ranks
from pipelines.model_store.store import PARAMETERS

REFITS = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Refits:
    """`development`: probabilities of the development rows by a model that was fitted without them, shape (n,).

    `agreement`: the rank correlation of each refit's answers on the test part with the version's own, shape (refits,).
    """

    development: Floats
    agreement: Floats

    def record(self) -> dict[str, Any]:
        """Return the agreement as JSON values."""
        return {
            "resamples": len(self.agreement),
            "spearman_median": float(np.median(self.agreement)),
            "spearman_low": float(self.agreement.min()),
        }


def refit(bench: Bench, judged: Judged, parameters: dict[str, Any], answers: Floats) -> Refits:
    """Fit the version's candidate on each four fifths of the development rows and ask it about the rest and the test.

    `answers` are the version's own probabilities on the test part.
    """
    study = bench.study
    assert study is not None
    candidate = candidate_with(study, parameters)
    whole = sample_of(bench.development)
    columns = {name: whole.columns[name] for name in judged.used}
    sample = type(whole)(columns, whole.bad, tuple(judged.predictor.numeric), tuple(judged.predictor.categorical))
    part = np.random.default_rng(study.seed).permutation(len(sample.bad)) % REFITS
    asked = sample_of(bench.test).columns
    log_odds, agreement = np.empty(len(sample.bad)), []
    for one in range(REFITS):
        fitted = candidate.fit(sample.take(np.flatnonzero(part != one)), seed=study.seed, threads=study.threads)
        held_out = np.flatnonzero(part == one)
        log_odds[held_out] = fitted.log_odds(sample.take(held_out).columns)
        agreement.append(rank_correlation(fitted.log_odds(asked), answers))
    calibration = fit_calibration(log_odds, sample.bad, study.candidate.calibration)
    return Refits(served.calibrate(log_odds, calibration), np.array(agreement))


def parameters_of(judged: Judged) -> dict[str, Any] | None:
    """Return the parameters of the trial that a version was made by, None for one from elsewhere."""
    told = judged.version.tags.get(PARAMETERS)
    return None if told is None else dict(json.loads(told))


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's rank correlation of two scores, ties sharing their rank; 1 for constant ones that agree.

    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0]))
    -1.0
    """
    first, second = mid_ranks(one), mid_ranks(other)
    if first.std() == 0 or second.std() == 0:
        return float(first.std() == second.std())
    return float(np.clip(np.corrcoef(first, second)[0, 1], -1.0, 1.0))
