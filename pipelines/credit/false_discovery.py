"""Many comparisons at once: how many of those called real are expected to be chance."""

import numpy as np

from pipelines.credit.arrays import Floats


def q_values(chances: Floats) -> Floats:
    """Return for each p-value the lowest false discovery rate at which it is called real; shape (tests,).

    Of the ordered p-values p(1) <= ... <= p(m), q(i) is the least m p(j) / j with j >= i (Benjamini and Hochberg 1995).
    Without drift, some q-value is at most a level with that probability (Simes 1986): the rate of false alarms.

    >>> q_values(np.array([0.01, 0.04, 0.03, 0.5])).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    order = np.argsort(chances)
    ranked = chances[order] * len(chances) / np.arange(1, len(chances) + 1)
    q = np.empty_like(ranked)
    q[order] = np.minimum.accumulate(ranked[::-1])[::-1]
    return np.minimum(q, 1.0)
