"""Equal ids in different spellings: text with spaces, or a whole number that was written as a decimal or with zeros."""

import re

WHOLE = re.compile(r"-?[0-9]{1,18}")
DECIMAL_WHOLE = r"^(-?[0-9]+)\.0+$"
"""A whole number as data frames write it where another value is missing."""


def plain_id(text: str) -> str:
    """Return an id without spaces around it, and without decimals that are 0.

    >>> plain_id(" 7.0 "), plain_id("007"), plain_id("7.5")
    ('7', '007', '7.5')
    """
    return re.sub(DECIMAL_WHOLE, r"\1", text.strip())


def plain_id_in_sql(text: str) -> str:
    """Return SQL for `plain_id` of SQL text."""
    return rf"regexp_replace(trim({text}), '{DECIMAL_WHOLE}', '\1')"


def whole_number(text: str) -> int | None:
    """Return the number that a column of numbers has for an id, None for an id that is not a whole number.

    >>> whole_number("0000007"), whole_number("7.0"), whole_number("B7")
    (7, 7, None)
    """
    plain = plain_id(text)
    return int(plain) if WHOLE.fullmatch(plain) else None
