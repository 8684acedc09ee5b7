"""Formats numbers, dates and names of a document; a dash where there is no value."""

import re
from typing import Any

from markupsafe import Markup, escape

from pipelines.charts.number_formats import NOTHING, count, is_known, number, percent


def ends(estimate: Any, digits: int = 3) -> str:
    """Return the ends of an estimate's interval.

    >>> ends({"value": 0.77, "low": 0.75, "high": 0.786}), ends(None)
    ('0.750 to 0.786', '–')
    """
    if not is_known(estimate) or not is_known(estimate.get("low")):
        return NOTHING
    return f"{number(estimate['low'], digits)} to {number(estimate['high'], digits)}"


def signed(value: Any, digits: int = 4) -> str:
    """Return a difference with its sign.

    >>> signed(0.0123, 3), signed(-0.0123, 3)
    ('+0.012', '−0.012')
    >>> signed(-0.0001, 2)
    '0.00'
    """
    if not is_known(value):
        return NOTHING
    text = f"{float(value):+.{digits}f}"
    return (text if float(text) else text[1:]).replace("-", "−")


def brief(value: Any, digits: int = 4) -> str:
    """Return a number with few significant digits, text unchanged, a list by its members.

    >>> brief(0.05000001), brief("logistic"), brief([550, 600]), brief(None), brief(True)
    ('0.05', 'logistic', '550, 600', '–', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(brief(one, digits) for one in value) or "none"
    if isinstance(value, dict) and not value:
        return "none"
    if not is_known(value) or value == "":
        return NOTHING
    return f"{value:.{digits}g}".replace("-", "−") if isinstance(value, float) else str(value)


def short_hash(value: Any) -> str:
    """Return the first twelve digits of a hash."""
    return str(value)[:12] if is_known(value) and value != "" else NOTHING


def day(value: Any) -> str:
    """Return the date of a moment.

    >>> day("2026-10-03T08:15:00.123+00:00")
    '2026-10-03'
    """
    return str(value)[:10] if is_known(value) and value != "" else NOTHING


def minute(value: Any) -> str:
    """Return a moment to the minute.

    >>> minute("2026-10-03T08:15:00.123+00:00")
    '2026-10-03 08:15'
    """
    return str(value)[:16].replace("T", " ") if is_known(value) and value != "" else NOTHING


def words(value: Any) -> str:
    """Return a name as words.

    >>> words("hist_gradient_boosting")
    'hist gradient boosting'
    """
    return str(value).replace("_", " ") if is_known(value) else NOTHING


def css_text(value: Any) -> str:
    """Return a name without the characters that end a string in a style sheet.

    >>> css_text('score"; } body { display: none')
    'score  body  display none'
    """
    return re.sub(r"[^\w .\-]", "", str(value)).strip()


def breakable(value: Any) -> Markup:
    """Return a name that a browser may break after each underscore.

    >>> breakable("late_share")
    Markup('late_<wbr>share')
    """
    return Markup("_<wbr>").join(escape(part) for part in str(value).split("_"))


FILTERS = {
    "breakable": breakable,
    "css_text": css_text,
    "number": number,
    "ends": ends,
    "signed": signed,
    "percent": percent,
    "count": count,
    "brief": brief,
    "short_hash": short_hash,
    "day": day,
    "minute": minute,
    "words": words,
}
