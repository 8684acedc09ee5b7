"""The amortisation schedule: equal instalments in whole minor units that sum exactly to what is owed."""

import math
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate

from pipelines.credit.periods import Repayment

MILLIONTHS = 1_000_000


class Interest(Enum):
    """What interest is charged on: the outstanding balance, or the amount lent for the whole term."""

    annuity = "annuity"
    flat = "flat"


class Rounding(Enum):
    """What becomes of exactly half a minor unit: the even neighbour, or the higher one."""

    half_even = "half_even"
    half_up = "half_up"


@dataclass(frozen=True)
class Schedule:
    """Instalments 1 to n of one loan, in minor units: what each pays of the interest and of the principal."""

    interest: tuple[int, ...]
    principal: tuple[int, ...]

    @property
    def amounts(self) -> tuple[int, ...]:
        """What each instalment is."""
        return tuple(map(int.__add__, self.interest, self.principal))

    @property
    def owed(self) -> tuple[int, ...]:
        """The principal that is outstanding before each instalment."""
        lent = sum(self.principal)
        return tuple(lent - repaid for repaid in accumulate(self.principal[:-1], initial=0))


def schedule_of(
    principal: int,
    annual_rate: float,
    term: int,
    interest: Interest = Interest.annuity,
    rounding: Rounding = Rounding.half_even,
    repayment: Repayment | None = None,
) -> Schedule:
    """Return the schedule of a loan of `principal` minor units over `term` periods, the first due after one interval.

    Loans are repaid monthly by default. A year has 12 equal months, 52 weeks or 365 days. The rate is nominal and taken
    to six decimals; interest is rounded to the minor unit from whole numbers, so that a half is a half. The last
    instalment takes the rounding.

    Annuity: each of n instalments is P r / (1 - (1 + r)^-n), rounded, r being the rate of an interval; it pays the
    interest of the interval on what is owed, the rest repays. Flat: the interest of the whole term and the principal
    are paid in equal parts. So few minor units that rounding repays them early leave the last instalments at 0.

    Raises:
        ValueError: nothing lent, no period, or a negative rate.

    >>> schedule_of(100_000, 0.12, 3).amounts, schedule_of(100_000, 0.12, 3).interest
    ((34002, 34002, 34003), (1000, 670, 337))
    >>> schedule_of(100_000, 0.12, 3, Interest.flat).amounts
    (34333, 34333, 34334)
    >>> from pipelines.credit.periods import Period
    >>> schedule_of(100_000, 0.12, 30, repayment=Repayment(Period.day, None)).amounts  # 12% x 30/365 of 1,000.00
    (100986,)
    """
    if principal < 1 or term < 1 or not annual_rate >= 0:
        raise ValueError(
            "a schedule needs an amount and a term of at least 1 and a rate of at least 0, received "
            f"{principal}, {term} and {annual_rate}; correct the amount, term or rate"
        )
    repayment = repayment or Repayment()
    millionths, a_year = round(annual_rate * MILLIONTHS), MILLIONTHS * repayment.period.a_year
    if interest is Interest.flat:
        charged = divided(principal * millionths * term, a_year, rounding)
        return _spread(principal, charged, repayment.instalments(term), rounding)
    rate = (millionths * repayment.interval(term), a_year)
    return _run_down(principal, rate, repayment.instalments(term), rounding)


def annuity_factor(rate: float, term: int) -> float:
    """Return each of n instalments for a unit that is lent, not rounded: r / (1 - (1 + r)^-n) at r per interval.

    >>> annuity_factor(0.0, 4), round(annuity_factor(0.01, 3), 6)
    (0.25, 0.340022)
    """
    return rate / -math.expm1(-term * math.log1p(rate)) if rate > 0 else 1 / term


def divided(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Return a quotient of whole numbers, rounded to a whole number.

    >>> [divided(one, 2, Rounding.half_even) for one in (1, 2, 3)], divided(1, 2, Rounding.half_up)
    ([0, 1, 2], 1)
    """
    whole, rest = divmod(numerator, denominator)
    is_up = 2 * rest > denominator or (2 * rest == denominator and (rounding is Rounding.half_up or whole % 2 == 1))
    return whole + is_up


def _run_down(principal: int, rate: tuple[int, int], term: int, rounding: Rounding) -> Schedule:
    """Return the schedule of an annuity; `rate` is that of an interval, numerator and denominator."""
    part, whole = rate
    each = round(principal * annuity_factor(part / whole, term)) if part else divided(principal, term, rounding)
    balance = principal
    interest, repaid = [], []
    for number in range(1, term + 1):
        interest.append(divided(balance * part, whole, rounding))
        repaid.append(balance if number == term else min(each - interest[-1], balance))
        balance -= repaid[-1]
    return Schedule(tuple(interest), tuple(repaid))


def _spread(principal: int, charged: int, term: int, rounding: Rounding) -> Schedule:
    """Return the parts of a charge and of a principal; each instalment pays both in the same proportion."""
    owed = principal + charged
    each = divided(owed, term, rounding)
    paid = borne = 0
    interest, repaid = [], []
    for number in range(1, term + 1):
        amount = owed - paid if number == term else min(each, owed - paid)
        paid += amount
        interest.append(charged * paid // owed - borne)
        borne += interest[-1]
        repaid.append(amount - interest[-1])
    return Schedule(tuple(interest), tuple(repaid))
