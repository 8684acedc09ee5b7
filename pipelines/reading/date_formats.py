"""Declared formats of times: strptime's directives, or seconds or milliseconds since 1970."""

import re
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.errors import ConfigurationError

EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}
"""Formats of times as numbers, and the microseconds of their unit."""
YEARS, MONTHS = ("%Y", "%y", "%G"), ("%m", "%b", "%B", "%j", "%V")
DIGITS = r"^[0-9]+$"
WRITTEN_AS_DOUBLE = r"^(-?[0-9]+)\.0+$"
"""Whole numbers as data frames write them where other rows are missing."""
USUAL = {8: "%Y%m%d", 6: "%Y%m", 10: "epoch_s", 13: "epoch_ms", 14: "%Y%m%d%H%M%S"}
"""The format that numbers of so many digits usually have."""


def check_format(date_format: str | None, group: str = "data") -> None:
    """Raise ConfigurationError for a format that no date can have: without a year, or with an unknown directive."""
    if date_format is None or date_format in EPOCHS:
        return
    setting = f"{group}.date_format"
    example = "write it as Python's strptime does, such as %d/%m/%Y, %b-%Y or %Y%m%d, or set epoch_s or epoch_ms"
    directives = re.findall(r"%.", date_format.replace("%%", ""))
    if not any(one in YEARS for one in directives):
        raise ConfigurationError(f"{setting} is '{date_format}', which has no year (%Y or %y); {example}")
    if "%d" in directives and not any(one in MONTHS for one in directives):
        raise ConfigurationError(f"{setting} is '{date_format}', which has a day and no month; {example}")
    import pandas as pd

    try:
        moment = datetime(2026, 10, 31, tzinfo=UTC).strftime(date_format)
        pd.to_datetime(pd.Series([moment]), format=date_format, utc=True)
    except (ValueError, re.error) as error:
        raise ConfigurationError(f"{setting} is '{date_format}', which is not a format ({error}); {example}") from error


def parsed_times(texts: pa.ChunkedArray, date_format: str | None) -> NDArray[np.datetime64]:
    """Return texts as times in UTC, NaT for those that are neither ISO nor of the format.

    Digits alone, such as 20261031, are of a format or no times, whatever type their file gives them.
    """
    is_digits = pc.fill_null(pc.match_substring_regex(texts, DIGITS), False).to_numpy()
    found = _with_format(texts, "ISO8601")
    found[is_digits] = np.datetime64("NaT")
    if date_format is None:
        return found
    plain = pc.replace_substring_regex(texts, WRITTEN_AS_DOUBLE, r"\1")
    declared = _of_epoch(plain, EPOCHS[date_format]) if date_format in EPOCHS else _with_format(plain, date_format)
    return np.where(np.isnat(declared), found, declared)


def numbers_for_times(first: str) -> str:
    """Return what is wrong with a column of times that has numbers, of which one is `first`, and what to do."""
    usual = usual_format(first)
    such = f"={usual}" if usual else ", such as %Y%m%d, epoch_s or epoch_ms,"
    return f"has numbers (first {first}); set data.date_format{such} if these are times, or name another column"


def usual_format(digits: str) -> str | None:
    """Return the format that a number usually has as a time, None where it has none of them.

    >>> usual_format("20261031"), usual_format("1793404800"), usual_format("12")
    ('%Y%m%d', 'epoch_s', None)
    """
    date_format = USUAL.get(len(digits)) if digits.isdigit() else None
    if date_format is None or date_format in EPOCHS:
        return date_format
    return None if np.isnat(parsed_times(pa.chunked_array([[digits]]), date_format)[0]) else date_format


def _with_format(texts: pa.ChunkedArray, date_format: str) -> NDArray[np.datetime64]:
    import pandas as pd

    values = texts.to_pandas().astype(object)
    times = pd.to_datetime(values, format=date_format, errors="coerce", utc=True)
    return np.array(times.dt.tz_localize(None).to_numpy("datetime64[us]"))


def _of_epoch(texts: pa.ChunkedArray, microseconds: int) -> NDArray[np.datetime64]:
    import pandas as pd

    numbers = pd.to_numeric(texts.to_pandas().astype(object), errors="coerce").to_numpy(np.float64)
    within = np.abs(numbers) * microseconds < 2**62
    scaled = np.rint(np.where(within, numbers, 0) * microseconds).astype(np.int64)
    return np.where(within, scaled.astype("datetime64[us]"), np.datetime64("NaT", "us"))
