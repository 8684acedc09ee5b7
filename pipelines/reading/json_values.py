"""JSON values read as the cells of a table: texts as those of a text file, numbers and flags as those of Parquet."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.reading.reading import Reading
from pipelines.reading.values import Kind, numbers, spelled

JsonValue = str | float | int | bool | None


def read_numbers(
    values: Sequence[JsonValue], reading: Reading, *, flags: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return n values as doubles, NaN for missing, and which are no numbers; with `flags` true and false are 1 and 0.

    >>> read_numbers([1, "2.50", None, "x", True], Reading())
    (array([1. , 2.5, nan, nan, nan]), array([False, False, False,  True,  True]))
    """
    doubles = [None if isinstance(one, str) else _double(one, flags) for one in values]
    found, _ = numbers(pa.chunked_array([pa.array(doubles, pa.float64())]), reading)
    found, broken = np.array(found), np.array([isinstance(one, bool) and not flags for one in values], bool)
    at = [place for place, one in enumerate(values) if isinstance(one, str)]
    if at:
        texts = pa.chunked_array([pa.array([values[place] for place in at], pa.string())])
        found[at], odd = numbers(texts, reading, flags=flags)
        broken[at] = False if odd is None else odd
    return found, broken


def read_texts(values: Sequence[JsonValue], kind: Kind | None, reading: Reading) -> list[str | None]:
    """Return n values as text in the one spelling of a kind, None for missing.

    >>> read_texts(["01", 1, 1.0, True, ""], Kind.text, Reading())
    ['01', '1', '1', 'True', None]
    """
    found: list[str | None] = [None] * len(values)
    for type_ in (str, bool, float):
        at = [place for place, one in enumerate(values) if _column_type(one) is type_]
        if at:
            column = pa.array([str(values[place]) if type_ is str else values[place] for place in at])
            for place, text in zip(at, spelled(column, kind, reading), strict=True):
                found[place] = text
    return found


def _double(value: float | None, flags: bool) -> float | None:
    if value is None or (isinstance(value, bool) and not flags):
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return np.inf if value > 0 else -np.inf


def _column_type(value: JsonValue) -> type:
    """Return the type of the column that a value is read in: whole numbers are read as their digits, exactly."""
    return str if isinstance(value, int) and not isinstance(value, bool) else type(value)
