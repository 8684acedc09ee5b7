"""Values as text in one spelling each: 1 and 1.0 are the same text, and so are a day and its midnight."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np


def spelled_value(value: object) -> str:
    """Return a value as text: numbers without needless digits, times as ISO.

    >>> spelled_value(1.0), spelled_value("01"), spelled_value(True), spelled_value(date(2026, 10, 31))
    ('1', '01', 'True', '2026-10-31')
    """
    if isinstance(value, float | np.floating | Decimal):
        return spelled_number(value)
    return spelled_time(value) if isinstance(value, date) else str(value)


def spelled_number(value: float | np.floating[Any] | Decimal) -> str:
    """Return a number in its shortest digits; whole numbers have no point.

    >>> spelled_number(1.0), spelled_number(0.1), spelled_number(Decimal("1.50"))
    ('1', '0.1', '1.5')
    """
    if isinstance(value, Decimal):
        text = format(value, "f")
        return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
    if not np.isfinite(value):
        return repr(float(value))
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def iso_day(moment: np.datetime64) -> str:
    """Return the date of a moment."""
    return str(np.datetime_as_string(moment, unit="D"))


def spelled_time(value: date | datetime) -> str:
    """Return a time in ISO, a whole day as its date."""
    if isinstance(value, datetime) and value.time() != time():
        return value.isoformat(sep=" ")
    return value.strftime("%Y-%m-%d")
