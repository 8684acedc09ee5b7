"""Times of a column: ISO text, a declared format, or a type of their own; dates that cannot be meant are refused."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from pipelines.errors import DataError
from pipelines.reading.reading import Reading
from pipelines.reading.texts import is_text, plain, whole, without_nulls

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Years outside of these are a misread format or a date that means never."""
ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)? ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?$"


def times(column: pa.ChunkedArray, reading: Reading) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Return a column as times in UTC, shape (n,), NaT for missing and never, and which values are no times."""
    column = plain(column)
    if is_text(column.type):
        texts = without_nulls(column, reading)
        found = _parsed(texts, reading)
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
    """Raise DataError for times before 1900 or after 2200."""
    years = values.astype("datetime64[Y]").astype(np.int64) + 1970
    outside = ~np.isnat(values) & ((years < FIRST_YEAR) | (years > LAST_YEAR))
    if not outside.any():
        return
    example = np.datetime_as_string(values[outside][0], unit="D")
    advice = (
        f"if it means never, set {setting}=[{example}]"
        if values[outside][0] > np.datetime64("2200", "us")
        else (f"if the text has another format, set {setting.rpartition('.')[0]}.date_format, for example %d/%m/%y")
    )
    raise DataError(
        f"time column '{name}' has {example} ({int(outside.sum()):,} of {len(values):,} rows), a year outside "
        f"{FIRST_YEAR} to {LAST_YEAR}; correct it, or {advice}"
    )


def _parsed(texts: pa.ChunkedArray, reading: Reading) -> NDArray[np.datetime64]:
    values = texts.to_pandas().astype(object)
    found = _utc(pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True))
    if reading.date_format is None:
        return found
    declared = _utc(pd.to_datetime(values, format=reading.date_format, errors="coerce", utc=True))
    return np.asarray(np.where(np.isnat(declared), found, declared), "datetime64[us]")


def _typed(column: pa.ChunkedArray) -> NDArray[np.datetime64]:
    moments = column if pt.is_timestamp(column.type) else column.cast(pa.timestamp("s"))
    naive = moments.cast(pa.timestamp("us", moments.type.tz), safe=False)
    array: NDArray[np.datetime64] = whole(naive).to_numpy(zero_copy_only=False)
    return np.asarray(array, "datetime64[us]")


def _utc(values: "pd.Series[Any]") -> NDArray[np.datetime64]:
    return np.asarray(values.dt.tz_localize(None).to_numpy("datetime64[us]"))
