"""Calendar months: those that are simulated, and those between a loan and its instalments. Times are seconds UTC."""

import re
from dataclasses import dataclass

import numpy as np

from pipelines.credit import loan
from pipelines.errors import ConfigurationError
from pipelines.simulation.draws import Ints

MINUTE, HOUR, DAY = 60, 3_600, 86_400
NEVER = np.int64(2**40)
"""A moment after every other one: what did not happen."""


@dataclass(frozen=True)
class Period:
    """`months` calendar months from `first` on, in months since 1970-01."""

    first: int
    months: int

    @property
    def starts_at(self) -> int:
        """The first moment."""
        return month_start(self.first)

    @property
    def ends_at(self) -> int:
        """The first moment after the last month: the as-of date, what happens from then on is not known."""
        return month_start(self.first + self.months)

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.ends_at - self.starts_at) // DAY


def parse_month(name: str, text: str) -> int:
    """Return a month as months since 1970-01. Raises ConfigurationError for anything but YYYY-MM."""
    if not re.fullmatch(r"(19[7-9]\d|20\d\d)-(0[1-9]|1[0-2])", text):
        raise ConfigurationError(f"{name} must be a month such as 2025-06, received '{text}'; write it as YYYY-MM")
    return int(text[:4]) * 12 + int(text[5:]) - 1 - 1970 * 12


def spell_month(month: int) -> str:
    """Return a month as YYYY-MM.

    >>> spell_month(parse_month("start", "2022-01"))
    '2022-01'
    """
    return str(np.datetime64(month, "M"))


def month_start(month: int) -> int:
    """Return the first moment of a month."""
    return int(np.datetime64(month, "M").astype("M8[s]").astype(np.int64))


def month_of(at: Ints) -> Ints:
    """Return the month of each moment, in months since 1970-01."""
    return at.astype("M8[s]").astype("M8[M]").astype(np.int64)


def day_of_month(days: Ints) -> Ints:
    """Return the day of the month, 1 to 31, of days since 1970-01-01."""
    return days - _first_day(days.astype("M8[D]").astype("M8[M]").astype(np.int64)) + 1


def add_months(at: Ints, months: int | Ints) -> Ints:
    """Return the same moment so many calendar months later, as a loan counts them (seconds).

    >>> moment = np.array(["2023-01-31T08:30:00"], "M8[s]").astype(np.int64)
    >>> add_months(moment, 1).astype("M8[s]")
    array(['2023-02-28T08:30:00'], dtype='datetime64[s]')
    """
    return loan.add_months(at.astype("M8[s]"), months).astype("M8[s]").astype(np.int64)


def _first_day(month: Ints) -> Ints:
    return month.astype("M8[M]").astype("M8[D]").astype(np.int64)
