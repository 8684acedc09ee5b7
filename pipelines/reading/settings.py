"""Settings of a table that its files do not say themselves: the part of the schemas that every table shares."""

from dataclasses import dataclass, field
from typing import Any

from pipelines.errors import ConfigurationError
from pipelines.reading.date_formats import check_format

TAB_WORDS = ("\\t", "tab")
"""How a tab is written in settings."""


@dataclass(kw_only=True)
class TextSettings:
    """How text files are divided into columns, and how numbers are written in them."""

    delimiter: str | None = None
    """Character between the fields of a text file; by default the one of `,` `;` tab and `|` that divides the first
    line most."""
    encoding: str = "utf-8"
    """Encoding of text files, such as latin-1."""
    header: bool = True
    """Whether the first line of a text file names the columns."""
    names: list[str] = field(default_factory=list)
    """Names of the columns of a text file, in place of its header."""
    decimal: str = "."
    """Decimal mark of numbers in text."""
    thousands: str | None = None
    """Mark between thousands of numbers in text."""


@dataclass(kw_only=True)
class ReadingSettings(TextSettings):
    """How the files of a table are read."""

    nulls: list[str] = field(default_factory=list)
    """Texts and numbers that mean a missing value, in every column; an empty text always does."""
    symbols: list[str] = field(default_factory=list)
    """Texts before or after numbers that are no part of them, such as € or %."""
    special: dict[str, Any] = field(default_factory=dict)
    """Column: numbers in it that are codes and no amounts, such as [-9, -8]; each code is a category of its own."""
    date_format: str | None = None
    """Format of times that are not ISO, such as %d/%m/%Y, %b-%Y or %Y%m%d; epoch_s or epoch_ms for seconds or
    milliseconds since 1970."""
    never: list[str] = field(default_factory=list)
    """Dates that mean never, such as 9999-12-31; they are read as missing."""


def check_text(settings: TextSettings, group: str = "data") -> None:
    """Raise ConfigurationError for a delimiter, an encoding or names that no file can have."""
    if settings.delimiter not in TAB_WORDS:
        _check_mark(f"{group}.delimiter", settings.delimiter)
    try:
        "".encode(settings.encoding)
    except LookupError:
        raise ConfigurationError(
            f"{group}.encoding is '{settings.encoding}', which is not an encoding; use for example utf-8 or latin-1"
        ) from None
    _check_mark(f"{group}.decimal", settings.decimal)
    _check_mark(f"{group}.thousands", settings.thousands)
    if settings.decimal == settings.thousands:
        raise ConfigurationError(
            f"{group}.decimal and {group}.thousands are both '{settings.decimal}'; set two different characters"
        )
    if not settings.header and not settings.names:
        raise ConfigurationError(f"{group}.header is false and {group}.names is not set; name the columns in order")
    repeated = sorted({name for name in settings.names if settings.names.count(name) > 1})
    if repeated:
        raise ConfigurationError(f"{group}.names has '{repeated[0]}' more than once; give each column its own name")


def check_reading(settings: ReadingSettings, group: str = "data") -> None:
    """Raise ConfigurationError for marks or formats that cannot be read; `group` is where the settings are."""
    check_text(settings, group)
    check_format(settings.date_format, group)


def _check_mark(name: str, mark: str | None) -> None:
    if mark is not None and len(mark) != 1:
        raise ConfigurationError(f"{name} is '{mark}'; set a single character")
