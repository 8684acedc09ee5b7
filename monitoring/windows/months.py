"""Months before and after a period."""

import re

import numpy as np


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
