"""A candidate that is made to rely on some features less than it would: between using them and dropping them."""

import zlib
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.sample import Sample

if TYPE_CHECKING:
    from pipelines.candidates.candidate import Candidate


class WeakenedCandidate:
    """Fits a candidate on a blend of its rows and of rows that have exchanged a group of features with each other.

    `exchanged` maps groups of features to the share of the weight that rows with exchanged values have, above 0 and
    below 1. What is learnt is about the blend, in these shares, of a model that knows the group and one that does not.
    Weakened by a share, a feature adds so much less to a difference between groups of people, but loses only about the
    square of it in accuracy: half the difference costs a quarter of what dropping the feature would. Training with
    noise in the inputs is a penalty on relying on them (Bishop 1995); exchanged values are noise that keeps each
    feature's distribution, and rows that are weighed rather than drawn add no luck of their own. Scoring exchanges
    nothing.
    """

    def __init__(self, candidate: "Candidate", exchanged: Mapping[tuple[str, ...], float]) -> None:
        self._candidate = candidate
        self._exchanged = dict(exchanged)
        self.family, self.parameters = candidate.family, candidate.parameters

    def fit(self, sample: Sample, *, seed: int, threads: int) -> Any:
        """Return a scorer fitted on the sample blended with its exchanges, which the seed draws."""
        return self._candidate.fit(self._blended(sample, seed), seed=seed, threads=threads)

    def save(self, scorer: Any, folder: Path) -> dict[str, object]:
        """Write the fitted model's files as the candidate does."""
        return self._candidate.save(scorer, folder)

    def _blended(self, sample: Sample, seed: int) -> Sample:
        """Return every row once for each set of groups that are exchanged together, weighed by how often they are.

        A group exchanged in a share s is so in the parts of the blend below s: the groups of the largest share are
        exchanged in most parts, and in the last, of weight 1 minus that share, none is.
        """
        rows = len(sample.bad)
        weights = np.ones(rows) if sample.weights is None else sample.weights
        others = {group: _exchange(group, sample, seed) for group in self._exchanged}
        parts: list[tuple[Mapping[str, Any], float]] = []
        for low, high in pairwise(sorted({0.0, *self._exchanged.values(), 1.0})):
            moved = {name: others[group] for group, share in self._exchanged.items() if share > low for name in group}
            columns = {n: values[moved[n]] if n in moved else values for n, values in sample.columns.items()}
            parts.append((columns, high - low))
        names = sample.columns
        return replace(
            sample,
            columns={name: np.concatenate([columns[name] for columns, _ in parts]) for name in names},
            bad=np.tile(sample.bad, len(parts)),
            weights=np.concatenate([share * weights for _, share in parts]),
            blocks=None if sample.blocks is None else np.tile(sample.blocks, len(parts)),
        )


def _exchange(group: tuple[str, ...], sample: Sample, seed: int) -> NDArray[np.intp]:
    """Return with whom each row exchanges a group: of all its features alike, so that they still agree.

    Drawn blindly, what bad rows happen to be given would tell of the outcome by luck. They are given values at even
    steps through the ranks of the group's first feature, so that bad and good are given the same distribution.
    """
    generator = np.random.default_rng([seed, zlib.crc32("/".join(group).encode())])
    bad, good = np.flatnonzero(sample.bad == 1), np.flatnonzero(sample.bad == 0)
    rows = len(sample.bad)
    _, ranks = np.unique(_ordered(sample.columns[group[0]]), return_inverse=True)
    by_rank = np.lexsort((generator.random(rows), ranks))
    steps = ((np.arange(len(bad)) + generator.random()) * rows / max(len(bad), 1)).astype(np.intp)
    given = np.empty(rows, dtype=np.intp)
    given[bad] = generator.permutation(by_rank[steps])
    given[good] = generator.permutation(np.delete(by_rank, steps))
    return given


def _ordered(values: NDArray[Any]) -> NDArray[Any]:
    """Return values that have an order: a missing level is a text of its own."""
    return values if values.dtype != object else np.array([str(one) for one in values])
