"""Months before and after a period."""

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
