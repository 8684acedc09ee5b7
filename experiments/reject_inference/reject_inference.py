"""Training with declined applications: weights for the approved, or declined rows with inferred outcomes."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.reject_inference.propensity import decisions, propensity, random_approval_share
from pipelines.applications.applications import Applications
from pipelines.candidates.blocks import IN_EVERY_MODEL
from pipelines.candidates.candidate import Candidate
from pipelines.candidates.sample import Sample
from pipelines.errors import DataError

Floats = NDArray[np.float64]

CLIPPED_ABOVE = 0.99
"""Weights are cut at this quantile: a few very unlikely approvals must not dominate the model."""


def approval_weights(applicants: Applications, ids: NDArray[np.str_], *, seed: int, threads: int) -> Floats:
    """Return the weight of each approved application, given by id: it represents itself and similar declined ones.

    `applicants` are all applications of the development period, with earlier decisions.

    Raises:
        DataError: an id is not an approved applicant; or there are too few decisions to learn the policy from.
    """
    rows = {name: row for row, name in enumerate(applicants.ids[decisions(applicants)[0]].tolist())}
    lacking = [name for name in ids.tolist() if name not in rows]
    if lacking:
        raise DataError(
            f"{len(lacking):,} of {len(ids):,} applications with an outcome are not among the approved of "
            f"data.ttd_population (first '{lacking[0]}'); set it to the table of all applicants"
        )
    chance = propensity(applicants, seed=seed, threads=threads)[decisions(applicants)[0]]
    return inverse_chances(chance[[rows[name] for name in ids.tolist()]], random_approval_share(applicants))


def inverse_chances(chosen: Floats, at_random: float) -> Floats:
    """Return inverse approval probabilities as weights of approved applications, shape (n,), clipped, with mean 1.

    An application is approved by the policy with probability `chosen`, or else at random with probability `at_random`.
    Horvitz and Thompson (1952) weigh it by 1 / (chosen + (1 - chosen) at_random). Random approvals get the same
    weights: 1 / at_random for them and 1 for the rest would be unbiased too, but a few dozen would outweigh thousands.

    >>> inverse_chances(np.array([0.8, 0.5, 0.2]), 0.0).round(4).tolist()
    [0.4579, 0.7326, 1.8095]
    """
    weights = 1 / (chosen + (1 - chosen) * at_random)
    clipped = np.minimum(weights, np.quantile(weights, CLIPPED_ABOVE))
    return np.asarray(clipped / clipped.mean())


@dataclass(frozen=True)
class FuzzyAugmentation:
    """A candidate that also trains on declined applications, each as bad and as good, weighted by a first model.

    Hsia (1978), Credit scoring and the Equal Credit Opportunity Act: the first model, fitted on the approved alone,
    gives each declined application its probability of bad p; it is then added twice, bad with weight p and good with
    weight 1 - p. Both weights are scaled by the share of approved applications that are in the sample, because some
    are not mature. The models of a fold use the features of all declined and the outcomes of the fold alone.
    """

    candidate: Candidate
    declined: Sample
    approved: int
    """Approved applications in the period of `declined`."""

    @property
    def family(self) -> str:
        """The family of the candidate."""
        return self.candidate.family

    @property
    def parameters(self) -> Any:
        """The parameters of the candidate."""
        return self.candidate.parameters

    def fit(self, sample: Sample, *, seed: int, threads: int) -> Any:
        """Fit a first model on the sample, augment the sample by it, and return the model fitted on that."""
        first = self.candidate.fit(sample, seed=seed, threads=threads)
        probability = 1 / (1 + np.exp(-first.log_odds(self.declined.columns)))
        each = len(sample.bad) / self.approved
        return self.candidate.fit(augmented(sample, self.declined, probability, each), seed=seed, threads=threads)

    def save(self, scorer: Any, folder: Path) -> dict[str, object]:
        """Write the fitted model's files, which are those of the candidate."""
        return self.candidate.save(scorer, folder)


def augmented(sample: Sample, declined: Sample, probability: Floats, each: float) -> Sample:
    """Return the sample with each declined application twice: bad with weight `each` p, good with `each` (1 - p)."""
    columns = {
        name: np.concatenate([values, declined.columns[name], declined.columns[name]])
        for name, values in sample.columns.items()
    }
    bad = np.repeat(np.array([1, 0], np.int8), len(probability))
    observed = np.ones(len(sample.bad)) if sample.weights is None else sample.weights
    weights = np.concatenate([observed, each * probability, each * (1 - probability)])
    blocks = None
    if sample.blocks is not None:
        blocks = np.concatenate([sample.blocks, np.full(len(bad), IN_EVERY_MODEL)])
    return replace(sample, columns=columns, bad=np.concatenate([sample.bad, bad]), weights=weights, blocks=blocks)
