"""Rates, ratios and their intervals."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.arrays import Floats


def z_of(confidence: float) -> float:
    """Return how many standard errors a two-sided normal interval reaches to either side.

    >>> round(z_of(0.95), 6)
    1.959964
    """
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson_interval(successes: float, trials: float, confidence: float) -> tuple[float, float]:
    """Return the score interval of a rate (Wilson 1927).

    >>> [round(end, 4) for end in wilson_interval(15, 148, 0.95)]
    [0.0624, 0.1605]
    """
    z = z_of(confidence)
    rate = successes / trials
    middle = (rate + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z / (1 + z * z / trials) * np.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return max(float(middle - reach), 0.0), min(float(middle + reach), 1.0)


def weighted_rate(events: NDArray[np.int8], weight: Floats, confidence: float) -> tuple[float, float, float]:
    """Return the share of the weight that lies on events, and its interval; both of shape (n,), at least one row.

    Wilson's interval on the effective number of rows: the fewer of Kish's (1965) (sum w)^2 / sum w^2 and of the number
    that explains the variance of the weighted rate (Korn and Graubard 1998). With equal weights it is Wilson's own, so
    it has a width even where no event was seen.

    >>> [round(one, 4) for one in weighted_rate(np.array([0, 0, 1, 0], dtype=np.int8), np.full(4, 9.0), 0.95)]
    [0.25, 0.0456, 0.6994]
    """
    share = weight / weight.sum()
    is_constant = events.all() or not events.any()  # the sum of shares is not exactly 1
    rate = float(events[0]) if is_constant else min(float(share @ events), 1.0)
    rows = 1 / float(share @ share)
    if 0 < rate < 1:
        rows = min(rows, rate * (1 - rate) / float(share**2 @ (events - rate) ** 2))
    low, high = wilson_interval(rate * rows, rows, confidence)
    return rate, min(low, rate), max(high, rate)


def katz_interval(events: int, trials: int, others: int, other_trials: int, confidence: float) -> tuple[float, float]:
    """Return the interval of the ratio of two independent rates, on its logarithm (Katz et al. 1978).

    Where a rate is 0 no logarithm exists: half an event and half a trial are added to both (Pettigrew et al. 1986).

    >>> [round(end, 3) for end in katz_interval(48, 80, 12, 20, 0.95)]
    [0.67, 1.492]
    """
    a, n, b, m = (float(one) for one in (events, trials, others, other_trials))
    if not a or not b:
        a, n, b, m = a + 0.5, n + 0.5, b + 0.5, m + 0.5
    reach = z_of(confidence) * np.sqrt(1 / a - 1 / n + 1 / b - 1 / m)
    middle = np.log(a / n) - np.log(b / m)
    return float(np.exp(middle - reach)), float(np.exp(middle + reach))
