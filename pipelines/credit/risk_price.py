"""The risk-based price: the lowest rate whose expected payments return the lender's target."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.credit.arrays import Floats
from pipelines.credit.instalments import Interest, annuity_factor

MONTHS = 12
PRECISION = 1e-9
STEPS = 100
"""Regula falsi needs about five."""


@dataclass(frozen=True)
class ExpectedPayments:
    """What one unit that is lent is expected to pay back, discounted, as a function of the rate.

    `paid` is the sum over instalments k of S(k) v^k, the chance that it is paid; `recovered` has for each the chance of
    default at it times 1 - loss given default times v^k, for the principal that was still owed. `a_year` instalments
    fall due in a year.
    """

    interest: Interest
    paid: float
    recovered: tuple[float, ...]
    a_year: float = MONTHS

    def value(self, annual_rate: float) -> float:
        """Return the expected value of all payments for one unit that is lent, not rounded.

        It rises with the rate: so do the instalments, and an annuity of a higher rate repays later.
        """
        term, rate = len(self.recovered), annual_rate / self.a_year
        if self.interest is Interest.flat:
            return (1 / term + rate) * self.paid + self._of_straight_line(term)
        each = annuity_factor(rate, term)
        if rate < PRECISION:
            return each * self.paid + self._of_straight_line(term)
        grown = 0.0
        for one in reversed(self.recovered):  # of what is owed before instalment k: g^(k-1) - each (g^(k-1) - 1) / r
            grown = grown * (1 + rate) + one
        per_rate = each / rate
        return each * self.paid + (1 - per_rate) * grown + per_rate * sum(self.recovered)

    def _of_straight_line(self, term: int) -> float:
        return sum(one * (1 - month / term) for month, one in enumerate(self.recovered))


def discounts(annual_yield: float, instalments: int, a_year: float = MONTHS) -> Floats:
    """Return what one unit at instalment 1, 2, ... is worth now, shape (instalments,): (1 + yield / a_year)^-k.

    >>> discounts(0.12, 2).round(6).tolist()
    [0.990099, 0.980296]
    """
    return np.asarray((1 + annual_yield / a_year) ** -np.arange(1.0, instalments + 1))


def expected_payments(
    alive: Floats,
    defaults: Floats,
    discount: Floats,
    loss_given_default: float,
    interest: Interest,
    a_year: float = MONTHS,
) -> ExpectedPayments:
    """Return the expected payments of n instalments: their survival, defaults and discounts, each shape (n,)."""
    recovered = (1 - loss_given_default) * defaults * discount
    return ExpectedPayments(interest, float(alive @ discount), tuple(recovered.tolist()), a_year)


def lowest_rate(payments: ExpectedPayments, target: float, low: float, high: float) -> float | None:
    """Return the lowest annual rate from `low` to `high` at which the payments are worth `asked`, None where none is.

    `asked` is 1 less what the fees bring, for one unit that is lent. Found by regula falsi in its Illinois form (Dowell
    and Jarratt 1971: an end that stays twice counts half), to 1e-9 of the unit or of the rate.

    >>> certain = ExpectedPayments(Interest.annuity, float(discounts(0.12, 3).sum()), (0.0, 0.0, 0.0))
    >>> round(lowest_rate(certain, 1.0, 0.0, 0.5), 6)
    0.12
    >>> lowest_rate(certain, 1.0, 0.0, 0.1) is None
    True
    """
    below, above = payments.value(low) - target, payments.value(high) - target
    if below >= 0:
        return low
    if above < 0:
        return None
    last = 0.0
    for _ in range(STEPS):
        middle = high - above * (high - low) / (above - below)
        excess = payments.value(middle) - target
        if excess >= 0:
            high, above, below = middle, excess, below / 2 if last > 0 else below
        else:
            low, below, above = middle, excess, above / 2 if last < 0 else above
        last = excess
        if abs(excess) < PRECISION or high - low < PRECISION:
            return middle
    return high


def average_life(months: int) -> float:
    """Return the years that a unit is outstanding on average when it is repaid in equal parts: (n + 1) / 24.

    >>> average_life(12)
    0.5416666666666666
    """
    return (months + 1) / (2 * MONTHS)


def yearly_funding(funding_cost: float, months: int) -> float:
    """Return the yearly funding rate of a cost that is a share of the amount lent, over a loan of so many months.

    >>> round(yearly_funding(0.03, 12), 4)
    0.0554
    """
    return funding_cost / average_life(months)


def present_value(amounts: Sequence[float] | Floats, chances: Floats, discount: Floats) -> float:
    """Return the discounted sum of amounts that come with certain chances, each shape (n,)."""
    return float((np.asarray(amounts, np.float64) * chances) @ discount)
