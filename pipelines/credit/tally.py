"""A tally: how many good and how many bad applications have each score, all that a measure needs to know."""

from dataclasses import dataclass

import numpy as np

from pipelines.credit.arrays import Floats, Outcomes


@dataclass(frozen=True)
class Tally:
    """The distinct scores, ascending, and the numbers of good and of bad applications at each, all of shape (k,).

    Measures are defined on a tally, so that tied scores are treated alike whatever the order of the rows, and a
    bootstrap draw is a new count of the same scores instead of a new sort.
    """

    score: Floats
    good: Floats
    bad: Floats

    @property
    def rows(self) -> Floats:
        """Applications at each score, shape (k,)."""
        return self.good + self.bad

    def with_rows(self) -> "Tally":
        """Return the tally without the scores that nobody has."""
        kept = self.rows > 0
        return Tally(self.score[kept], self.good[kept], self.bad[kept])

    def merged(self, most: int) -> "Tally":
        """Return a tally of at most about `most` scores: neighbours share the mean of theirs, in groups of equal size.

        What is lost is less than a resample moves; a bootstrap on a million scores costs what one on `most` does.
        """
        if len(self.score) <= most:
            return self
        group = (self.rows.cumsum() * (most / self.rows.sum()) - 1e-9).astype(np.int64)
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        rows, good, bad = (np.add.reduceat(one, starts) for one in (self.rows, self.good, self.bad))
        return Tally(np.add.reduceat(self.rows * self.score, starts) / rows, good, bad)


def tally(bad: Outcomes, score: Floats) -> Tally:
    """Return the tally of outcomes (1 is bad) by score, both of shape (n,).

    >>> tally(np.array([0, 1, 1], dtype=np.int8), np.array([0.2, 0.1, 0.2])).bad.tolist()
    [1.0, 1.0]
    """
    distinct, index = np.unique(score, return_inverse=True)
    bads = np.bincount(index, weights=bad, minlength=len(distinct)).astype(np.float64)
    goods = np.bincount(index, minlength=len(distinct)).astype(np.float64) - bads
    return Tally(np.asarray(distinct, np.float64), goods, bads)
