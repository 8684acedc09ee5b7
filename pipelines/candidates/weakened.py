"""A candidate that is made to rely on some features less than it would: between using them and dropping them."""

import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.sample import Sample

if TYPE_CHECKING:
    from pipelines.candidates import Candidate


class WeakenedCandidate:
    """Fits a candidate on rows of which some have exchanged their values of a group of features with each other.

    `exchanged` maps groups of features to that share of the rows, above 0 and below 1. What is learnt is about the
    blend, in these shares, of a model that knows the group and one that does not. Weakened by a share, a feature adds
    so much less to a difference between groups of people, but loses only about the square of it in accuracy: half the
    difference costs a quarter of what dropping the feature would. Training with noise in the inputs is a penalty on
    relying on them (Bishop 1995); exchanged values are noise that keeps each feature's distribution. Scoring exchanges
    nothing.
    """

    def __init__(self, candidate: "Candidate", exchanged: Mapping[tuple[str, ...], float]) -> None:
        self._candidate = candidate
        self._exchanged = dict(exchanged)
        self.family, self.parameters = candidate.family, candidate.parameters

    def fit(self, sample: Sample, *, seed: int, threads: int) -> Any:
        """Return a scorer fitted on the sample with its exchanges, which the seed draws."""
        return self._candidate.fit(self._with_exchanges(sample, seed), seed=seed, threads=threads)

    def save(self, scorer: Any, folder: Path) -> dict[str, object]:
        """Write the fitted model's files as the candidate does."""
        return self._candidate.save(scorer, folder)

    def _with_exchanges(self, sample: Sample, seed: int) -> Sample:
        columns = dict(sample.columns)
        for group, share in self._exchanged.items():
            generator = np.random.default_rng([seed, zlib.crc32("/".join(group).encode())])
            rows = np.concatenate([_some(generator, sample.bad == outcome, share) for outcome in (0, 1)])
            others = generator.permutation(rows)  # of all features alike: those of a group still agree with each other
            for name in group:
                columns[name] = columns[name].copy()
                columns[name][rows] = sample.columns[name][others]
        return replace(sample, columns=columns)


def _some(generator: np.random.Generator, those: NDArray[np.bool_], share: float) -> NDArray[np.intp]:
    """Draw a share of some rows: of either outcome the same, or luck would decide how many of the few bad ones."""
    rows = np.flatnonzero(those)
    return generator.choice(rows, round(share * len(rows)), replace=False)
