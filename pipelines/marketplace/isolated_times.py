"""Finds a few times that are years after all others: they are errors, and would move the end of the tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

LONGEST_PAUSE = 12
"""Months without any event in any table; real tables have none."""

MOST_ISOLATED = 0.001
"""Share of all times; more than this after a pause, and more than one, are a second period and no errors."""


@dataclass(frozen=True)
class Isolated:
    """Times of a column ("paid_at of instalments") that are `months` after every other time of the tables."""

    column: str
    rows: int
    months: int
    first: date


def isolated_times(months: Mapping[str, Mapping[date, int]]) -> Isolated | None:
    """Return the times after the last long pause, if they are few; `months` has the rows of each month by column.

    >>> isolated_times({"a": {date(2024, 1, 1): 500, date(2024, 2, 1): 500}, "b": {date(2029, 1, 1): 1}})
    Isolated(column='b', rows=1, months=59, first=datetime.date(2029, 1, 1))
    """
    counts = {month: sum(one.get(month, 0) for one in months.values()) for one in months.values() for month in one}
    pauses = [(one, other) for one, other in pairwise(sorted(counts)) if _between(one, other) > LONGEST_PAUSE]
    if not pauses:
        return None
    before, first = pauses[-1]
    late = sum(rows for month, rows in counts.items() if month >= first)
    if late > max(1, MOST_ISOLATED * sum(counts.values())):
        return None
    column = next(name for name, rows in months.items() if first in rows)
    return Isolated(column, late, _between(before, first), first)


def _between(one: date, other: date) -> int:
    return 12 * (other.year - one.year) + other.month - one.month
