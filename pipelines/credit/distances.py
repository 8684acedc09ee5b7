"""Distances between two samples counted in the same ordered bins: exact values, or bounds."""

from dataclasses import dataclass

import numpy as np
from scipy.special import rel_entr

from pipelines.credit.arrays import Counts, Floats


@dataclass(frozen=True)
class Between:
    """Lower and upper bound of a distance, given the bins; equal where the bins determine it."""

    least: float
    most: float


def jensen_shannon(reference: Counts, current: Counts) -> float:
    """Return the Jensen-Shannon distance of two samples, 0 for equal shares and 1 for shares without a common bin.

    The square root of the mean relative entropy, in bits, of each sample's shares to their average (Lin 1991; Endres
    and Schindelin 2003). An empty bin needs no prior. Counts of shape (bins,), neither sample empty.

    >>> jensen_shannon(np.array([5, 0]), np.array([0, 7]))
    1.0
    """
    p, q = reference / reference.sum(), current / current.sum()
    middle = (p + q) / 2
    bits = (rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / (2 * np.log(2))
    return float(np.sqrt(np.clip(bits, 0, 1)))


def kolmogorov_smirnov(reference: Counts, current: Counts) -> float:
    """Return the largest distance of two distribution functions at the bins' upper ends, shape (bins,) in order.

    Exact where each bin is one value, as of an integer score (Smirnov 1939); else the least that it can be.

    >>> kolmogorov_smirnov(np.array([5, 5]), np.array([2, 8])).__round__(6)
    0.3
    """
    before, now = _cumulative(reference), _cumulative(current)
    return float(np.abs(before - now).max())


def kolmogorov_smirnov_bounds(reference: Counts, current: Counts) -> Between:
    """Return the least and the most that the distance of two distribution functions can be, given ordered bins.

    Inside a bin either function may rise at one end or at the other, so it can be as far as from one's end to the
    other's start.
    """
    before, now = _cumulative(reference), _cumulative(current)
    apart = np.maximum(np.abs(before[1:] - now[:-1]), np.abs(now[1:] - before[:-1]))
    return Between(kolmogorov_smirnov(reference, current), float(apart.max()))


def wasserstein(values: Floats, reference: Counts, current: Counts) -> float:
    """Return the mean distance by which a sample's values have to be moved to become the other's, in their unit.

    The area between the distribution functions (Vallender 1974); exact where each bin is one of the ascending `values`,
    shape (bins,), as of an integer score.

    >>> wasserstein(np.array([300.0, 301.0, 310.0]), np.array([1, 1, 0]), np.array([0, 1, 1]))
    5.0
    """
    apart = np.abs(_cumulative(reference) - _cumulative(current))[1:-1]
    return float(apart @ np.diff(values))


def wasserstein_bounds(ends: Floats, reference: Counts, current: Counts) -> Between:
    """Return the least and the most that the Wasserstein distance can be, given bins with `ends`, shape (bins + 1,).

    In a bin each distribution function rises from its value at the lower end to that at the upper, anywhere between:
    they can agree as far as their ranges meet, and be as far apart as from one's end to the other's start.
    """
    before, now = _cumulative(reference), _cumulative(current)
    width = np.diff(ends)
    gap = np.maximum(np.maximum(before[:-1] - now[1:], now[:-1] - before[1:]), 0)
    apart = np.maximum(np.abs(before[1:] - now[:-1]), np.abs(now[1:] - before[:-1]))
    return Between(float(gap @ width), float(apart @ width))


def _cumulative(counts: Counts) -> Floats:
    """Return the distribution function at the bins' ends, shape (bins + 1,), from 0 to 1."""
    reached = np.concatenate([[0], np.cumsum(counts)])
    return np.asarray(reached / reached[-1], dtype=np.float64)
