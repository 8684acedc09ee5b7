"""Training options that tell a model about those whom an earlier policy declined."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.reject_inference.propensity import decisions, lot_share, propensity
from pipelines.applications.applications import Applications
from pipelines.candidates.candidate import Candidate
from pipelines.candidates.sample import Sample
from pipelines.errors import DataError

Floats = NDArray[np.float64]

CLIPPED_ABOVE = 0.99
"""Weights are cut at this quantile: a few applications that were approved against all odds must not be the model."""


def approval_weights(asked: Applications, ids: NDArray[np.str_], *, seed: int, threads: int) -> Floats:
    """Return how many rows each approved application, named by its id, counts for: itself and those declined like it.

    `asked` are all who asked in the development time, with earlier decisions.

    Raises:
        DataError: an id is not among those who asked and were approved; or the policy cannot be learnt.
    """
    place = {name: row for row, name in enumerate(asked.ids[decisions(asked)[0]].tolist())}
    lacking = [name for name in ids.tolist() if name not in place]
    if lacking:
        raise DataError(
            f"outcomes are known of approved applications, {len(lacking):,} of {len(ids):,} with an outcome are not "
            f"among the approved of data.ttd_population (first '{lacking[0]}'); name the table of all who asked"
        )
    chance = propensity(asked, seed=seed, threads=threads)[decisions(asked)[0]]
    return inverse_chances(chance[[place[name] for name in ids.tolist()]], lot_share(asked))


def inverse_chances(chosen: Floats, by_lot: float) -> Floats:
    """Return weights of approved applications, shape (n,), by the inverse chance of approval, clipped, with mean 1.

    An application is approved when the policy chooses it, with probability `chosen`, or else by lot, with probability
    `by_lot`: Horvitz and Thompson (1952) weigh it by 1 / (chosen + (1 - chosen) by_lot). Those approved by lot are
    weighed like any other: 1 / by_lot for them and 1 for the rest would be right on average too, but lets some dozens
    of applications outweigh thousands.

    >>> inverse_chances(np.array([0.8, 0.5, 0.2]), 0.0).round(4).tolist()
    [0.4579, 0.7326, 1.8095]
    """
    weights = 1 / (chosen + (1 - chosen) * by_lot)
    clipped = np.minimum(weights, np.quantile(weights, CLIPPED_ABOVE))
    return np.asarray(clipped / clipped.mean())


@dataclass(frozen=True)
class FuzzyAugmentation:
    """A candidate that learns from the declined, too: each enters as bad and as good, weighed by a first model.

    Hsia (1978), Credit scoring and the Equal Credit Opportunity Act: the first model, fitted on the approved alone,
    gives each declined application its probability of bad p; it then enters twice, bad with weight p and good with
    weight 1 - p. It counts as it occurs among those who asked: rows to learn from are fewer than the approved, some of
    which are not mature. A fold's models see the features of all declined and the outcomes of the fold alone.
    """

    candidate: Candidate
    declined: Sample
    approved: int
    """How many were approved in the time of `declined`."""

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
    return replace(sample, columns=columns, bad=np.concatenate([sample.bad, bad]), weights=weights)
