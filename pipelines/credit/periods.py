"""The unit that terms of loans are counted in, and how often a loan is repaid."""

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction


class Period(Enum):
    """A day, a week or a calendar month; a term is a whole number of them."""

    day = "day"
    week = "week"
    month = "month"

    @property
    def a_year(self) -> int:
        """Periods of a year: 365 days, 52 weeks or 12 equal months (Directive 2008/48/EC, annex I, remark c)."""
        return {Period.day: 365, Period.week: 52, Period.month: 12}[self]

    @property
    def days(self) -> Fraction:
        """Days of a period; a month has a twelfth of 365."""
        return {Period.day: Fraction(1), Period.week: Fraction(7), Period.month: Fraction(365, 12)}[self]

    def counted(self, number: int) -> str:
        """Return a number of periods in words.

        >>> Period.day.counted(30), Period.month.counted(1)
        ('30 days', '1 month')
        """
        return f"{number:,} {self.value}{'' if number == 1 else 's'}"


@dataclass
class Repayment:
    """How loans are repaid: in equal instalments `every` so many periods, or in one payment at the end of the term."""

    period: Period = Period.month
    """Unit of the terms."""
    every: int | None = 1
    """Periods from one instalment to the next; null for one payment at the end of the term."""

    def interval(self, term: int) -> int:
        """Return the periods from one instalment to the next of a loan of `term` periods."""
        return self.every or term

    def instalments(self, term: int) -> int:
        """Return how many instalments a loan of `term` periods has.

        >>> Repayment().instalments(12), Repayment(Period.week, 2).instalments(8)
        (12, 4)
        >>> Repayment(Period.day, None).instalments(30)
        1
        """
        return max(term // self.interval(term), 1)

    def a_year(self, term: int) -> float:
        """Return how many intervals between instalments a year has."""
        return self.period.a_year / self.interval(term)


LONGEST = {Period.day: 3_660, Period.week: 530, Period.month: 120}
"""The longest terms, ten years."""


def broken_terms(terms: list[int], repayment: Repayment) -> str | None:
    """Return what the terms must be where they are not; None where they are right.

    >>> broken_terms([30, 14], Repayment(Period.day, None))
    'be whole days from 1 to 3,660 in rising order'
    >>> broken_terms([3], Repayment(Period.week, 2))
    'be multiples of every=2 weeks'
    """
    period = repayment.period
    if not terms or terms[0] < 1 or terms[-1] > LONGEST[period] or sorted(set(terms)) != terms:
        return f"be whole {period.value}s from 1 to {LONGEST[period]:,} in rising order"
    if repayment.every is not None and any(term % repayment.every for term in terms):
        return f"be multiples of every={period.counted(repayment.every)}"
    return None
