"""The distance of two samples of one population by chance: the likelihood-ratio statistic G beside PSI.

Near zero PSI is (1/n + 1/m) times the likelihood-ratio statistic G of "both samples have the same shares", and G is
about chi-square with bins - 1 degrees of freedom: that is Yurdakul's approximation (2018). Far out, where alarms on
many columns are decided, the two part. A bin of 10 expected rows that is found empty adds 28.5 to PSI / (1/n + 1/m)
and 20 to G; it happens once in 22,000 samples, while chi-square reaches 28.5 once in 11 million and 20 once in
130,000. With 100 rows in ten even bins PSI exceeds its chi-square limit of 3e-5 nearly five times as often as it
should, and with rare bins of two expected rows a third as often. Of G the exponent agrees with the chance (Hoeffding
1965), and with its own moments, summed out where few rows are expected, it keeps the same limits within a factor of
1.3, or to the safe side. So PSI measures the size of a move, and G whether chance explains it.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

from pipelines.credit.arrays import Counts, Floats

FEW = 10.0
"""Up to so many expected rows a bin's moments are summed out; from more, the first correction is exact to 0.1%."""

REACH = 60
"""A count with at most `FEW` expected is below this, but for a chance of 1e-26."""


def deviance(first: Counts, second: Counts) -> Floats:
    """Return G, the likelihood-ratio statistic of equal shares, of two samples counted in the same bins.

    Counts have shape (..., bins) and broadcast; G has the leading shape: twice the sum over both samples and all bins
    of count times ln(share / pooled share). Zero for equal shares, and where a sample is empty (Wilks 1938).

    >>> float(deviance(np.array([10, 20]), np.array([30, 60])).round(12))
    0.0
    """
    total = first + second
    with np.errstate(divide="ignore", invalid="ignore"):
        fraction = first.sum(axis=-1) / total.sum(axis=-1)
    return np.asarray(_of_each(first, total, fraction[..., None]).sum(axis=-1))


def moments_without_drift(total: Counts, fraction: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of G when both samples have the same shares, given the bins' counts of both together.

    `total` has shape (..., bins), `fraction` the leading shape: the first sample's part of all rows. Were the first
    sample's size left to chance, its count in each bin would be binomial and independent of the others, and the sum of
    the bins' deviances the sum of two independent parts: G, and the deviance of the size itself. So G's moments are the
    bins' sums less those of the size. No shares have to be known.
    """
    mean, variance = _binomial_moments(total, fraction[..., None])
    whole_mean, whole_variance = _binomial_moments(total.sum(axis=-1), fraction)
    return np.asarray(mean.sum(axis=-1) - whole_mean), np.maximum(variance.sum(axis=-1) - whole_variance, 0.0)


def _of_each(count: NDArray[np.generic], total: NDArray[np.generic], fraction: Floats) -> Floats:
    """Return the deviance of a binomial count of `total` from its expectation, element by element."""
    x, n = np.asarray(count, dtype=np.float64), np.asarray(total, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = xlogy(x, x / (n * fraction)) + xlogy(n - x, (n - x) / (n * (1 - fraction)))
    return np.asarray(np.maximum(2 * np.nan_to_num(inside), 0.0))


def _binomial_moments(total: NDArray[np.generic], fraction: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of the deviance of a binomial count, element by element.

    From `FEW` expected on it is (1 + b) chi-square with one degree, b = (1 - f + f^2) / (6 n f (1 - f)) (Williams
    1976).
    """
    n, f = np.broadcast_arrays(np.asarray(total, dtype=np.float64), np.minimum(fraction, 1 - fraction))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.asarray(1 + (1 - f + f * f) / (6 * n * f * (1 - f)))
    variance = np.asarray(2 * mean * mean)
    mean[(n == 0) | (f == 0)] = variance[(n == 0) | (f == 0)] = 0.0
    few = (n * f <= FEW) & (n > 0) & (f > 0)
    if few.any():
        pairs, index = np.unique(n[few] + 1j * f[few], return_inverse=True)
        summed = _summed(pairs.real, pairs.imag)
        mean[few], variance[few] = summed[0][index], summed[1][index]
    return mean, variance


def _summed(total: Floats, fraction: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of the deviance, summed over the counts that a binomial of few expected can have."""
    n, f = total[:, None], fraction[:, None]
    x = np.minimum(np.arange(REACH), n)
    log_chance = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1) + xlogy(x, f) + xlog1py(n - x, -f)
    chance = np.where(np.arange(REACH) <= n, np.exp(log_chance), 0.0)
    deviances = _of_each(x, np.broadcast_to(n, x.shape), f)
    mean = (chance * deviances).sum(axis=1)
    return mean, (chance * deviances * deviances).sum(axis=1) - mean * mean
