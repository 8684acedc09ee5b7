"""The annual percentage rate: what a loan costs, fees included, as the internal rate of return of its payments."""

import math
from collections.abc import Sequence
from enum import Enum

MONTHS, DAYS = 12, 365

STEPS = 200
"""Newton's method needs five to ten for loans that anybody offers."""


class RateConvention(Enum):
    """How a year is made of shorter intervals: with interest on interest, or as a multiple of the rate of one."""

    effective = "effective"
    nominal = "nominal"


def interval_irr(received: float, payments: Sequence[float]) -> float:
    """Return the rate r of an interval at which `received` equals the sum of payment k (1 + r)^-k, k = 1, 2, ...

    `received` is the amount lent less the fees that are paid at once. The sum is convex and rises in 1 / (1 + r), so
    that Newton's method finds its only root. Below zero where less is paid than was received.

    Raises:
        ValueError: nothing is received or nothing paid, so that there is no rate.

    >>> round(interval_irr(100_000, [34_002, 34_002, 34_003]), 5)
    0.01
    """
    _check(received, payments)
    factor, backwards = 1.0, [*reversed(payments), 0]
    for _ in range(STEPS):
        value = slope = 0.0
        for payment in backwards:  # Horner's rule, and its derivative beside it
            slope = slope * factor + value
            value = value * factor + payment
        step = (value - received) / slope
        factor -= step
        if abs(step) <= 1e-15 * factor:
            break
    return 1 / factor - 1


def annual_rate(rate: float, convention: RateConvention, a_year: float = MONTHS) -> float:
    """Return the annual percentage rate of a rate of return, `a_year` of whose intervals are a year.

    Effective: (1 + r)^n - 1, as Directive 2008/48/EC, annex I, part I requires, and Directive (EU) 2023/2225 after it:
    drawdowns equal the sum of payments D (1 + X)^-s with s in years of 12 equal months, 52 weeks or 365 days.
    Nominal: n r, as 12 CFR 1026
    (Regulation Z), appendix J (b)(1) requires: the unit-period rate times the number of unit-periods in a year.

    >>> round(annual_rate(0.01, RateConvention.effective), 6), annual_rate(0.01, RateConvention.nominal)
    (0.126825, 0.12)
    """
    return a_year * rate if convention is RateConvention.nominal else math.expm1(a_year * math.log1p(rate))


def dated_irr(received: float, payments: Sequence[float], days: Sequence[int]) -> float:
    """Return the effective annual rate X at which `received` equals the sum of payments (1 + X)^-(days / 365).

    `days` count from the drawdown to each payment: actual/365, a leap year's day as any other.

    Raises:
        ValueError: nothing is received or nothing paid, or payments and days are not as many.

    >>> round(dated_irr(1000, [1200], [546]), 4)    # the first example of annex III of Directive 98/7/EC: 12.96%
    0.1296
    """
    _check(received, payments)
    years = [day / DAYS for day in days]
    force = 0.0
    for _ in range(STEPS):
        values = [payment * math.exp(-force * year) for payment, year in zip(payments, years, strict=True)]
        step = (math.fsum(values) - received) / sum(value * year for value, year in zip(values, years, strict=True))
        force += step
        if abs(step) <= 1e-15:
            break
    return math.expm1(force)


def _check(received: float, payments: Sequence[float]) -> None:
    if received <= 0 or sum(payments) <= 0:
        raise ValueError(
            f"a rate needs something received and something paid, received {received} and {sum(payments)}; "
            "lower the fee below the amount"
        )
