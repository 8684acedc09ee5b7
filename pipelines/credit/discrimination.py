"""How well a score separates bad from good."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from pipelines.credit.arrays import Floats, Outcomes
from pipelines.credit.tally import Tally, tally


def auc(bad: Outcomes, score: Floats) -> float:
    """Return the probability that a bad application scores above a good one, ties counting half.

    `score` rises with risk; both of shape (n,). Mann and Whitney (1947) on mid-ranks.

    >>> auc(np.array([0, 0, 1, 1], dtype=np.int8), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    return auc_of(tally(bad, score))


def auc_of(counts: Tally) -> float:
    """Return the AUC of a tally of outcomes by score."""
    below = counts.good.cumsum() - counts.good / 2
    return float(counts.bad @ below / (counts.bad.sum() * counts.good.sum()))


def kolmogorov_smirnov_of(counts: Tally) -> float:
    """Return the largest distance between the distributions of bad and good scores.

    >>> kolmogorov_smirnov_of(tally(np.array([0, 0, 1, 1], dtype=np.int8), np.array([0.1, 0.4, 0.35, 0.8])))
    0.5
    """
    goods, bads = counts.good.cumsum(), counts.bad.cumsum()
    return float(np.max(np.abs(goods / goods[-1] - bads / bads[-1])))


def mid_ranks(values: Floats) -> Floats:
    """Return ranks from 1, equal values sharing the mean of their ranks.

    >>> mid_ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, position, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    return np.asarray((last - (counts - 1) / 2)[position])


@dataclass(frozen=True)
class AucDifference:
    """The AUC of one score minus that of another on the same applications, with its interval."""

    difference: float
    low: float
    high: float
    variance: float

    def p_better(self, margin: float = 0.0) -> float:
        """Return the one-sided p-value against "the first AUC is not better than the other less `margin`".

        Small values prove superiority for a margin of 0 and non-inferiority for a positive one. Scores that rank all
        applications alike prove the latter and never the former.

        >>> round(AucDifference(0.02, 0.0004, 0.0396, 0.0001).p_better(), 4)
        0.0228
        """
        excess = self.difference + margin
        if self.variance == 0:
            return 0.0 if excess > 0 else 1.0
        return 0.5 * math.erfc(excess / math.sqrt(2 * self.variance))


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
    return AucDifference(float(difference), float(difference - reach), float(difference + reach), float(variance))


def _components(bad: Outcomes, score: Floats) -> tuple[float, Floats, Floats]:
    """Return the AUC and its components: each bad's share of goods below, each good's share of bads above."""
    bads, goods = score[bad == 1], score[bad == 0]
    ranks = mid_ranks(score)
    on_bad = (ranks[bad == 1] - mid_ranks(bads)) / len(goods)
    on_good = 1 - (ranks[bad == 0] - mid_ranks(goods)) / len(bads)
    return float(on_bad.mean()), on_bad, on_good
