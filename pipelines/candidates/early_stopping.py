"""Early stopping: the number of trees of a boosted model, chosen on rows set aside from those it learns from."""

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.candidate import Candidate

if TYPE_CHECKING:
    from pipelines.candidates.sample import Sample

MOST_TREES = 2000
"""No model gets more trees."""

PATIENCE = 50
"""A fit ends when the log loss on the watched rows has not fallen for so many trees."""

WATCHED_SHARE = 0.12
"""Share of the rows of a fit that are watched and not learnt from."""


@runtime_checkable
class StoppableCandidate(Candidate, Protocol):
    """A candidate that can choose its number of trees, which is the parameter named `trees_parameter`."""

    trees_parameter: str

    def fit_stopped(self, sample: "Sample", watched: "Sample", *, seed: int, threads: int) -> tuple[Any, int]:
        """Return a scorer of as many trees as have the least log loss on the watched rows, and their number."""


def watched_rows(bad: NDArray[np.int8], seed: int) -> NDArray[np.bool_]:
    """Return which rows are watched: `WATCHED_SHARE` of each outcome, drawn at random."""
    is_watched = np.zeros(len(bad), bool)
    generator = np.random.default_rng(seed)
    for outcome in (0, 1):
        rows = np.flatnonzero(bad == outcome)
        is_watched[generator.choice(rows, round(WATCHED_SHARE * len(rows)), replace=False)] = True
    return is_watched
