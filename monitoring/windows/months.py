"""Months before and after a period."""

import re
from collections.abc import Sequence

import numpy as np

from pipelines.errors import listed

MOST_NAMED = 4
"""Months that a name lists before it counts the others."""


def month_from(period: str, months: int) -> str:
    """Return the month so many months after a period, or before it for a negative number.

    >>> month_from("2026-01", -1), month_from("2026-12", 1)
    ('2025-12', '2027-01')
    """
    return str(np.datetime64(period, "M") + months)


def end_of(period: str) -> str:
    """Return the first day after a period.

    >>> end_of("2026-12")
    '2027-01-01'
    """
    return f"{month_from(period, 1)}-01"


def months_between(one: str, other: str) -> int | None:
    """Return by how many months a period (YYYY-MM) is later than another, None where one of them is not a month.

    >>> months_between("2026-11", "2027-01"), months_between("2027-01", "2026-11"), months_between("2026-11", "later")
    (2, -2, None)
    """
    matches = [re.fullmatch(r"(\d{4})-(\d{2})", period) for period in (one, other)]
    first, last = (int(match[1]) * 12 + int(match[2]) if match else None for match in matches)
    return None if first is None or last is None else last - first


def joined(names: Sequence[str]) -> str:
    """Return the first and the last period in words, and the months between them that are none of the periods.

    >>> joined(["2025-01", "2025-02", "2025-03"]), joined(["2025-01"]), joined(["any time"])
    ('2025-01 to 2025-03', '2025-01', 'any time')
    >>> joined(["2025-01", "2025-04"])
    '2025-01 to 2025-04 (without 2025-02, 2025-03)'
    """
    if len(names) == 1:
        return names[0]
    apart = months_between(names[0], names[-1]) or 0
    between = [month for back in range(1, apart) if (month := month_from(names[0], back)) not in names]
    return f"{names[0]} to {names[-1]}" + (f" (without {listed(between, MOST_NAMED)})" if between else "")
