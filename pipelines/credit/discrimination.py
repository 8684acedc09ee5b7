"""How well a score separates bad from good."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Outcomes = NDArray[np.int8]


def auc(bad: Outcomes, score: Floats) -> float:
    """Return the probability that a bad application scores above a good one, ties counting half.

    `score` rises with risk; both of shape (n,). Mann and Whitney (1947) on mid-ranks.

    >>> auc(np.array([0, 0, 1, 1], dtype=np.int8), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    bads = int(bad.sum())
    ranks = mid_ranks(score)[bad == 1].sum()
    return float((ranks - bads * (bads + 1) / 2) / (bads * (len(bad) - bads)))


def gini(bad: Outcomes, score: Floats) -> float:
    """Return 2 AUC - 1."""
    return 2 * auc(bad, score) - 1


def kolmogorov_smirnov(bad: Outcomes, score: Floats) -> float:
    """Return the largest distance between the distributions of bad and good scores.

    >>> kolmogorov_smirnov(np.array([0, 0, 1, 1], dtype=np.int8), np.array([0.1, 0.4, 0.35, 0.8]))
    0.5
    """
    _, goods, bads = cumulative_shares(bad, score)
    return float(np.max(np.abs(goods - bads)))


def cumulative_shares(bad: Outcomes, score: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the distinct scores, ascending, and the shares of good and of bad at or below each."""
    distinct, places = np.unique(score, return_inverse=True)
    bads = np.bincount(places, weights=bad, minlength=len(distinct)).cumsum()
    goods = np.bincount(places, weights=1 - bad, minlength=len(distinct)).cumsum()
    return distinct, goods / goods[-1], bads / bads[-1]


def mid_ranks(values: Floats) -> Floats:
    """Return ranks from 1, equal values sharing the mean of their ranks.

    >>> mid_ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    return np.asarray((last - (counts - 1) / 2)[places])


@dataclass(frozen=True)
class AucDifference:
    """The AUC of one score minus that of another on the same applications, with its interval."""

    difference: float
    low: float
    high: float


def delong_difference(bad: Outcomes, score: Floats, other: Floats, *, confidence: float) -> AucDifference:
    """Return AUC(score) - AUC(other) with a two-sided confidence interval for paired scores.

    DeLong, DeLong and Clarke-Pearson (1988), computed on mid-ranks as in Sun and Xu (2014). Scores that rank all
    applications alike differ by exactly zero.
    """
    components = [_components(bad, one) for one in (score, other)]
    difference = components[0][0] - components[1][0]
    on_bad = components[0][1] - components[1][1]
    on_good = components[0][2] - components[1][2]
    variance = np.var(on_bad, ddof=1) / len(on_bad) + np.var(on_good, ddof=1) / len(on_good)
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * float(np.sqrt(variance))
    return AucDifference(float(difference), float(difference - reach), float(difference + reach))


def _components(bad: Outcomes, score: Floats) -> tuple[float, Floats, Floats]:
    """Return the AUC and its components: each bad's share of goods below, each good's share of bads above."""
    bads, goods = score[bad == 1], score[bad == 0]
    ranks = mid_ranks(score)
    on_bad = (ranks[bad == 1] - mid_ranks(bads)) / len(goods)
    on_good = 1 - (ranks[bad == 0] - mid_ranks(goods)) / len(bads)
    return float(on_bad.mean()), on_bad, on_good
