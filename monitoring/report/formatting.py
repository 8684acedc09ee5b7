"""Number and text formats of the report page."""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup, escape

from pipelines.charts.number_formats import NOTHING, count, number, percent
from pipelines.credit.label_free import Estimate

LEAST_Q = 0.001


def psi(value: float) -> str:
    """Return a PSI with two significant digits.

    >>> psi(0.3312), psi(0.04123), psi(0.00012), psi(0.00002)
    ('0.33', '0.041', '0.0001', '0')
    """
    if abs(value) < 0.00005:
        return "0"
    digits = 2 if abs(value) >= 0.1 else 3 if abs(value) >= 0.001 else 4
    return f"{value:.{digits}f}".replace("-", "−")


def apart(first: float, second: float) -> tuple[str, str]:
    """Return two numbers with as many digits as it takes to distinguish them.

    >>> apart(0.27004, 0.27001), apart(0.5, 0.1)
    (('0.27004', '0.27001'), ('0.5', '0.1'))
    """
    pairs = [(f"{first:.{digits}g}", f"{second:.{digits}g}") for digits in range(2, 18)]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])


def q_value(value: float | None) -> str:
    """Return a false discovery rate.

    >>> q_value(0.0312), q_value(1e-9), q_value(None)
    ('0.031', '< 0.001', '–')
    """
    if value is None:
        return NOTHING
    return f"< {LEAST_Q}" if value < LEAST_Q else f"{value:.3f}"


def points_apart(value: float, reference: float | None, digits: int = 1) -> str:
    """Return the difference of a share to that of the reference in percentage points.

    >>> points_apart(0.583, 0.641), points_apart(0.5, None)
    ('−5.8 points', '–')
    >>> points_apart(0.5, 0.5000001)
    '+0.0 points'
    """
    if reference is None:
        return NOTHING
    points = round(100 * (value - reference), digits) + 0.0  # no minus before a zero
    return f"{points:+.{digits}f} points".replace("-", "−")


def between(estimate: Estimate | None, *, share: bool = False) -> str:
    """Return the interval of an estimate.

    >>> between(Estimate(0.77, 0.75, 0.786)), between(Estimate(0.07, 0.05, 0.1), share=True), between(None)
    ('0.750–0.786', '5.0–10.0%', '–')
    """
    if estimate is None or estimate.low != estimate.low:
        return NOTHING
    if share:
        return f"{percent(estimate.low).rstrip('%')}–{percent(estimate.high)}"
    return f"{number(estimate.low)}–{number(estimate.high)}"


def some(number: int, noun: str) -> str:
    """Return a number with its noun in the singular or plural.

    >>> some(1, "period"), some(1200, "decision")
    ('1 period', '1,200 decisions')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def sentence(text: str) -> str:
    """Return text as a sentence, with a capital and a full stop.

    >>> sentence("no outcomes yet"), sentence("PDs rank.")
    ('No outcomes yet.', 'PDs rank.')
    """
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def heading(text: str) -> str:
    """Return text with a capital first.

    >>> heading("what moved")
    'What moved'
    """
    return f"{text[:1].upper()}{text[1:]}"


def breakable(text: str) -> Markup:
    """Return text that may wrap after an underscore, because column names are long.

    >>> str(breakable("n_<b>"))
    'n_<wbr>&lt;b&gt;'
    """
    return Markup(str(escape(text)).replace("_", "_<wbr>"))


FILTERS: dict[str, Callable[..., Any]] = {
    "psi": psi,
    "q": q_value,
    "percent": percent,
    "number": number,
    "between": between,
    "count": count,
    "sentence": sentence,
    "heading": heading,
    "breakable": breakable,
}
