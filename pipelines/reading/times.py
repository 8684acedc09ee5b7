"""Times of a column: ISO text, a declared format, or a type of their own; dates that cannot be meant are refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from pipelines.errors import DataError
from pipelines.reading.date_formats import parsed_times
from pipelines.reading.reading import Reading
from pipelines.reading.spelling import spelled_number
from pipelines.reading.texts import is_number, is_text, plain, whole, without_nulls

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Years outside of these are a misread format or a date that means never."""
ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)? ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?$"


def times(column: pa.ChunkedArray, reading: Reading) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Return a column as times in UTC, shape (n,), NaT for missing and never, and which values are no times.

    Numbers are times where a format is declared.
    """
    column = plain(column)
    if is_number(column.type) and reading.date_format is not None:
        column = pa.chunked_array([_digits(column)])
    if is_text(column.type):
        texts = without_nulls(column, replace(reading, nulls=(*reading.nulls, *reading.never)))
        found = parsed_times(texts, reading.date_format)
        odd = np.isnat(found) & texts.is_valid().to_numpy()
    elif pt.is_timestamp(column.type) or pt.is_date(column.type):
        found = _typed(column)
        odd = np.zeros(len(found), bool)
    else:
        return np.full(len(column), "NaT", "datetime64[us]"), column.is_valid().to_numpy()
    if reading.never:
        never = pd.to_datetime(pd.Series(reading.never), format="ISO8601", errors="coerce").to_numpy("datetime64[D]")
        found = np.where(np.isin(found.astype("datetime64[D]"), never), np.datetime64("NaT", "us"), found)
    return found, odd


def check_years(name: str, values: NDArray[np.datetime64], *, setting: str = "data.never") -> None:
    """Raise DataError for times of years outside of `FIRST_YEAR` to `LAST_YEAR`."""
    years = values.astype("datetime64[Y]").astype(np.int64) + 1970
    outside = ~np.isnat(values) & ((years < FIRST_YEAR) | (years > LAST_YEAR))
    if not outside.any():
        return
    example = np.datetime_as_string(values[outside][0], unit="D")
    advice = (
        f"if it means never, set {setting}=[{example}]"
        if values[outside][0] > np.datetime64(str(LAST_YEAR), "us")
        else (f"if the text has another format, set {setting.rpartition('.')[0]}.date_format, for example %d/%m/%y")
    )
    raise DataError(
        f"time column '{name}' has {example} ({int(outside.sum()):,} of {len(values):,} rows), a year outside "
        f"{FIRST_YEAR} to {LAST_YEAR}; correct it, or {advice}"
    )


def _digits(numbers: pa.ChunkedArray) -> pa.Array:
    """Return numbers as text, without the point that a double or a decimal gives whole numbers."""
    if pt.is_integer(numbers.type):
        return whole(numbers.cast(pa.string()))
    digits = (None if one is None or one != one else spelled_number(one) for one in numbers.to_pylist())
    return pa.array(digits, pa.string())


def _typed(column: pa.ChunkedArray) -> NDArray[np.datetime64]:
    moments = column if pt.is_timestamp(column.type) else column.cast(pa.timestamp("s"))
    naive = moments.cast(pa.timestamp("us", moments.type.tz), safe=False)
    array: NDArray[np.datetime64] = whole(naive).to_numpy(zero_copy_only=False)
    return np.asarray(array, "datetime64[us]")
