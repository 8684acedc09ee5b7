"""Numbers with marks, such as 1,234.50, 12% or 5 €: found among texts, and the settings that read them as numbers."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

MOST, FIRST = 0.95, 1000
"""From this share of the texts on, of the first so many and of all, a column has numbers with marks and no words."""
SPACES = " \u00a0\u2009\u202f"
"""Spaces between thousands: as typed, and as programs write them so that lines do not break there."""
MINUS = "−"
"""The sign of typesetters."""
FEWEST_DIGITS = 3
"""Shorter texts such as (1) and 2- are grades and ranks, not negative numbers."""
CURRENCIES = (
    *("EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "BRL", "RUB", "PLN", "SEK", "NOK", "DKK", "CZK", "HUF"),
    *("TRY", "MXN", "kr", "zł", "Rs"),
)
CODE_DIGITS = 7
"""Groups of digits that all have the same number of digits, at least so many, are codes such as telephone numbers."""
_SYMBOL = rf"(?:[A-Z]{{0,2}}[$€£¥₹₽₺₩₫₴₦₱฿¢]|{'|'.join(CURRENCIES)}|%)"
_MARKED = re.compile(
    rf"\s*(?P<sign>[-+{MINUS}(]?)\s*(?P<before>{_SYMBOL})?\s*(?P<number>[-+]?[0-9][0-9.,'’{SPACES}]*?)"
    rf"\s*(?P<after>{_SYMBOL})?\s*(?P<end>[-)]?)\s*"
)
Layout = tuple[str | None, str]
"""The mark between thousands, None where there is none, and the decimal mark."""
_LAYOUTS: tuple[Layout, ...] = tuple(
    (thousands, decimal) for thousands in (None, ",", ".", " ", "'") for decimal in ".," if thousands != decimal
)


@dataclass(frozen=True)
class MarkedNumbers:
    """What the numbers of a column are written with: an example, its symbols, and each layout that reads them all."""

    example: str
    symbols: tuple[str, ...]
    layouts: tuple[Layout, ...]

    def and_those_of(self, other: "MarkedNumbers") -> "MarkedNumbers":
        """Return what reads the numbers of two columns; it has no layout where the columns contradict each other."""
        layouts = tuple(layout for layout in self.layouts if layout in other.layouts)
        return MarkedNumbers(self.example, tuple(dict.fromkeys([*self.symbols, *other.symbols])), layouts)

    @property
    def remedy(self) -> str:
        """The settings that read the numbers, as overrides; more than one choice where the numbers leave it open."""
        symbols = ",".join(f'"{symbol}"' for symbol in self.symbols)
        choices = [
            " ".join([*_overrides(*layout), *([f"'data.symbols=[{symbols}]'"] if symbols else [])])
            for layout in _fewest(self.layouts)
        ]
        if not choices:
            return "write them as plain numbers such as -1234.5"
        return f"set {' or '.join(choices)}" + (", whichever they mean" if len(choices) > 1 else "")


def marked_numbers(texts: Collection[str], plain: Iterable[str] = ()) -> MarkedNumbers | None:
    """Return the marks of texts that are numbers with marks, None where they are words or codes.

    `plain` are numbers without marks that stand in the same column.

    >>> print(marked_numbers(["1.234,50 €", "12 €"]).remedy)
    set 'data.decimal=","' data.thousands=. 'data.symbols=["€"]'
    >>> print(marked_numbers(["1,234", "5,678"]).remedy)
    set 'data.decimal=","' or 'data.thousands=","', whichever they mean
    >>> marked_numbers(["A12", "12-34", "030 12345"])
    """
    first = list(texts)[:FIRST]
    if not texts or len(_matches(first)) < MOST * len(first):
        return None
    matches = _matches(texts)
    if len(matches) < MOST * len(texts):
        return None
    numbers = [match["number"] for match in matches]
    layouts = [layout for layout in _LAYOUTS if all(_is_number(one, *layout) for one in (*numbers, *plain))]
    are_signed_oddly = any(_is_signed_oddly(match) for match in matches)
    found = (match[side] for match in matches for side in ("before", "after"))
    symbols = tuple(dict.fromkeys(symbol for symbol in found if symbol))
    if not layouts or (not symbols and _are_codes(numbers)):
        return None
    if are_signed_oddly or (not symbols and layouts[0] == (None, ".")):
        return MarkedNumbers(matches[0].string, symbols, ())  # by its sign, or by spaces around it
    return MarkedNumbers(matches[0].string, symbols, tuple(layouts))


def mark_pattern(mark: str) -> str:
    """Return the pattern of a mark between thousands: a space stands for all spaces, ' for both apostrophes."""
    return {" ": f"[{SPACES}]", "'": "['’]"}.get(mark, re.escape(mark))


def without_symbols(symbols: Sequence[str]) -> str:
    """Return the pattern of a number with one of the symbols before or after it: its groups are sign and number."""
    symbol = f"(?:{'|'.join(map(re.escape, symbols))})"
    return rf"^\s*([-+]?)\s*(?:{symbol}\s*)?([-+]?[0-9.].*?)\s*{symbol}?\s*$"


def _matches(texts: Iterable[str]) -> list[re.Match[str]]:
    found = (match for text in texts if (match := _MARKED.fullmatch(text)))
    return [match for match in found if not match["end"] or len(match["number"]) >= FEWEST_DIGITS]


def _is_signed_oddly(match: re.Match[str]) -> bool:
    """Return whether a number is negative in a way that no setting reads: 12-, (12) or with the sign of typesetters."""
    return bool(match["end"]) or match["sign"] in (MINUS, "(")


def _is_number(text: str, thousands: str | None, decimal: str) -> bool:
    """Return whether a text is a number with these marks.

    >>> _is_number("1,234.50", ",", "."), _is_number("12,34", ",", "."), _is_number("1 234", " ", ".")
    (True, False, True)
    """
    whole = "[0-9]+"
    if thousands is not None:
        whole = rf"(?:{whole}|[0-9]{{1,3}}(?:{mark_pattern(thousands)}[0-9]{{3}})+)"
    return re.fullmatch(rf"\s*[-+]?{whole}(?:{re.escape(decimal)}[0-9]*)?\s*", text) is not None


def _are_codes(numbers: Collection[str]) -> bool:
    """Return whether groups of digits are no amounts: all have the same number of digits, as telephone numbers do."""
    digits = {sum(character.isdigit() for character in number) for number in numbers}
    return len(numbers) > 1 and len(digits) == 1 and min(digits) >= CODE_DIGITS and not any("," in n for n in numbers)


def _fewest(layouts: Iterable[Layout]) -> list[Layout]:
    """Return the layouts that declare no more than the numbers need."""
    kept: list[Layout] = []
    for thousands, decimal in layouts:
        if not any(other in (None, thousands) and mark in (".", decimal) for other, mark in kept):
            kept.append((thousands, decimal))
    return kept


def _overrides(thousands: str | None, decimal: str) -> list[str]:
    declared = {"decimal": None if decimal == "." else decimal, "thousands": thousands}
    return [f"data.{name}=." if mark == "." else f"'data.{name}=\"{mark}\"'" for name, mark in declared.items() if mark]
