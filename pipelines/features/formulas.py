"""From exact sums to features: every formula takes integer arrays of shape (n,) and returns one array of that shape.

What cannot be said (a share of nothing, the deviation of one value) is missing: NaN.
"""

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.periods import Period
from pipelines.features.columns import MISSING, Integers

Floats = NDArray[np.float64]

DAYS = {Period.day: 1.0, Period.week: 7.0, Period.month: 365.25 / 12}

EXACT_BELOW = 2.0**61
"""Sums that wrapped around in int64 differ by the true value as long as that fits; below this it does for certain."""


def itself(value: Integers) -> Integers:
    """Return the sum as it is."""
    return value


def ratio(part: Integers, whole: Integers) -> Floats:
    """Return part over whole; missing where the whole is zero.

    >>> ratio(np.array([1, 0]), np.array([4, 0])).tolist()
    [0.25, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole == 0, np.nan, part / whole)


def share_of_both(part: Integers, rest: Integers) -> Floats:
    """Return part over part and rest together."""
    return ratio(part, part + rest)


def deviation(count: Integers, total: Integers, squares: Integers) -> Floats:
    """Return the standard deviation (over n) of values from their count, sum and sum of squares.

    The difference n Q - S S is taken in integers, where nothing cancels; where it is too large for them it is far from
    zero, and doubles lose nothing that matters.

    >>> deviation(np.array([2, 1]), np.array([30, 7]), np.array([500, 49])).tolist()
    [5.0, nan]
    """
    rough = count.astype(float) * squares - total.astype(float) ** 2
    with np.errstate(over="ignore"):
        exact = count * squares - total * total
    spread = np.where(rough < EXACT_BELOW, exact, rough)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count < 2, np.nan, np.sqrt(spread) / count)


def variation(count: Integers, total: Integers, squares: Integers) -> Floats:
    """Return the deviation over the mean; missing where the mean is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total == 0, np.nan, deviation(count, total, squares) * count / total)


def deviation_in_days(count: Integers, total: Integers, squares: Integers) -> Floats:
    """Return the deviation, in days, of times from the count, sum and sum of squares of their hours."""
    return deviation(count, total, squares) / 24


def mean_age(now: Integers, count: Integers, total: Integers) -> Floats:
    """Return the mean age in days of events whose times, in hours, sum to `total`, at `now` hours."""
    return np.asarray(ratio(now * count - total, count) / 24)


def pace(days: int, longest: int, short: Integers, long: Integers) -> Floats:
    """Return what a short window holds over what the long one holds in as many days; 1 is steady."""
    return ratio(short * longest, long * days)


def to_mean(value: Integers, count: Integers, total: Integers) -> Floats:
    """Return a value over the mean of others, from their count and sum."""
    return ratio(value * count, total)


def burden(window: int, days: float, principal: Integers, term: Integers, spent: Integers) -> Floats:
    """Return what a principal takes of each period over the spending of a period, in a window of so many days.

    A period of the term has `days` days.
    """
    return ratio(principal, term * spent) * (window / days)


def distinct(*counts: Integers) -> Integers:
    """Return how many of the counts are above zero."""
    return np.asarray(np.sum([count > 0 for count in counts], axis=0, dtype=np.int64))


def entropy(*counts: Integers) -> Floats:
    """Return the Shannon entropy, in nats, of the shares of counts; missing where all are zero."""
    total = np.sum(counts, axis=0)
    terms = np.zeros(len(total))
    for count in counts:
        share = ratio(count, total)
        terms -= share * np.log(np.where(share > 0, share, 1.0))
    return terms + 0.0


def days(microseconds: Integers) -> Floats:
    """Return microseconds as days; the smallest integer stands for missing."""
    return np.where(microseconds == MISSING, np.nan, microseconds / 86_400_000_000)


def known(value: Integers) -> Floats:
    """Return a whole number that may be missing as a double."""
    return np.where(value == MISSING, np.nan, value)
