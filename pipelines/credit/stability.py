"""Population stability between two samples counted in the same frozen bins."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from pipelines.credit.arrays import Counts

PRIOR_COUNT = 0.5
"""Added to each bin before shares are taken (Jeffreys), so that an empty bin has a finite logarithm."""


def shares(counts: Counts) -> NDArray[np.float64]:
    """Return the smoothed share of each bin.

    >>> shares(np.array([3, 0])).round(3).tolist()
    [0.875, 0.125]
    """
    smoothed = counts + PRIOR_COUNT
    return np.asarray(smoothed / smoothed.sum(), dtype=np.float64)


def population_stability_index(reference: Counts, current: Counts) -> float:
    """Return the PSI of two samples: the sum over bins of (q - p) ln(q / p).

    Siddiqi, Credit Risk Scorecards (2006), chapter 9; on smoothed shares, symmetric, zero for equal shares.
    `reference` and `current` are counts in the same bins, shape (bins,).

    >>> population_stability_index(np.array([50, 50]), np.array([50, 50]))
    0.0
    """
    p, q = shares(reference), shares(current)
    return float(np.sum((q - p) * np.log(q / p)))


def stability_indices(reference: Counts, current: Counts) -> NDArray[np.float64]:
    """Return the PSI of many pairs of samples at once, over bins that either sample fills.

    Counts have shape (..., bins) and broadcast; the result has the leading shape. A bin that neither fills says
    nothing, and would only take a share of the prior.

    >>> stability_indices(np.array([[50, 50, 0]]), np.array([[50, 50, 0]])).tolist()
    [0.0]
    """
    filled = (reference + current) > 0
    p, q = ((counts + PRIOR_COUNT) * filled for counts in (reference, current))
    with np.errstate(divide="ignore", invalid="ignore"):
        p, q = p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True)
        terms = np.where(filled, (q - p) * np.log(q / p), 0.0)
    return np.asarray(terms.sum(axis=-1), dtype=np.float64)


def noise_limit(reference_rows: int, current_rows: int, bins: int, *, level: float, comparisons: int = 1) -> float:
    """Return the PSI that sampling noise alone exceeds with probability `level` in any of `comparisons` columns.

    Without drift PSI is distributed about as (1/n + 1/m) chi-square with `bins` - 1 degrees of freedom
    (Yurdakul, Statistical Properties of Population Stability Index, 2018, theorem 3.1). The level is divided by
    the number of comparisons (Bonferroni), so a report on many features does not ring more often than one.

    >>> round(noise_limit(1000, 1000, 10, level=0.05), 4)
    0.0338
    """
    quantile = chdtri(max(bins - 1, 1), level / comparisons)
    return float((1 / reference_rows + 1 / current_rows) * quantile)
