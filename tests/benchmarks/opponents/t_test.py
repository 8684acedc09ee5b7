"""Tests whether one search has a lower mean AUC than another on the same splits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from scipy.stats import t


@dataclass(frozen=True)
class Comparison:
    """`mean` is the mean difference over the splits, `low` and `high` its 95% interval.

    `below` is the one-sided p-value of a mean of 0 against one below it: small where the difference is negative.
    """

    mean: float
    low: float
    high: float
    below: float


def corrected_t_test(differences: Sequence[float], shared: float) -> Comparison:
    """Return the corrected resampled t-test of paired differences (Nadeau and Bengio 2003).

    `shared` is the number of test rows over that of training rows: random splits of one table share rows, so that
    the variance of their mean is (1/n + shared) times that of a difference. With 0, for tables that share none, it is
    the paired t-test.
    """
    count, mean = len(differences), fmean(differences)
    if count < 2:
        return Comparison(mean, -math.inf, math.inf, math.nan)
    error = math.sqrt((1 / count + shared) * variance(differences))
    if not error:
        return Comparison(mean, mean, mean, 0.5 if not mean else float(mean > 0))
    reach = float(t.ppf(0.975, count - 1)) * error
    return Comparison(mean, mean - reach, mean + reach, float(t.cdf(mean / error, count - 1)))
