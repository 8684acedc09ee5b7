"""Numbers as pages show them, and a dash where there is none."""

from typing import Any

from jinja2 import Undefined

NOTHING = "–"
"""Shown where a figure is missing."""


def is_known(value: Any) -> bool:
    """Return whether there is a value: not undefined in a template, not None, not NaN."""
    return not isinstance(value, Undefined) and value is not None and value == value


def number(value: Any, digits: int = 3) -> str:
    """Return a number with a fixed number of decimals.

    >>> number(0.78349), number(-0.5, 1), number(None), number(float("nan"))
    ('0.783', '−0.5', '–', '–')
    """
    return f"{float(value):.{digits}f}".replace("-", "−") if is_known(value) else NOTHING


def percent(value: Any, digits: int = 1) -> str:
    """Return a share as a percentage.

    >>> percent(0.1234), percent(None)
    ('12.3%', '–')
    """
    return f"{100 * float(value):.{digits}f}%".replace("-", "−") if is_known(value) else NOTHING


def count(value: Any) -> str:
    """Return a whole number with a comma between thousands.

    >>> count(1234567)
    '1,234,567'
    """
    return f"{int(value):,}" if is_known(value) else NOTHING
