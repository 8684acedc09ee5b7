"""Columns of Arrow tables as integers: times in microseconds, money in minor units."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Integers = NDArray[np.int64]

MISSING = np.iinfo(np.int64).min
"""Stands for a time or a number that is not there."""


def times(table: pa.Table, column: str) -> Integers:
    """Return a column of times as microseconds since 1970; MISSING where it is empty or lacks."""
    if column not in table.column_names:
        return np.full(len(table), MISSING)
    return filled(table[column].cast(pa.timestamp("us")).cast(pa.int64()), MISSING)


def numbers(table: pa.Table, column: str, *, otherwise: int) -> Integers:
    """Return a column of whole numbers; `otherwise` where it is empty or lacks."""
    if column not in table.column_names:
        return np.full(len(table), otherwise)
    return filled(table[column].cast(pa.int64()), otherwise)


def codes(table: pa.Table, column: str, levels: Sequence[str]) -> Integers:
    """Return the place of each value among the levels; their number where it is none of them or empty."""
    if column not in table.column_names or not levels:
        return np.full(len(table), len(levels))
    values = table[column]
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    parts = [_codes(chunk, pa.array(levels, pa.string())) for chunk in values.chunks]
    return np.concatenate([np.empty(0, np.int64), *parts])


def _codes(chunk: pa.DictionaryArray, levels: pa.Array) -> Integers:
    """Look up each of the few distinct values instead of each row."""
    codes = pc.index_in(chunk.dictionary.cast(pa.string()), value_set=levels)
    place_of = np.append(np.asarray(pc.fill_null(codes, len(levels)), np.int64), len(levels))
    return np.asarray(place_of[np.asarray(pc.fill_null(chunk.indices, len(chunk.dictionary)))])


def filled(values: pa.ChunkedArray, otherwise: int) -> Integers:
    """Return an integer column without its gaps."""
    return np.asarray(pc.fill_null(values, otherwise).to_numpy())


def local_clock(moments: pa.ChunkedArray, time_zone: str) -> tuple[Integers, Integers, Integers]:
    """Return the hour, the day of the month and the weekday (Monday is 0) of UTC times on the clocks of a zone."""
    local = pc.local_timestamp(moments.cast(pa.timestamp("us")).cast(pa.timestamp("us", time_zone)))
    hour, day, weekday = (filled(part(local), 0) for part in (pc.hour, pc.day, pc.day_of_week))
    return hour, day, weekday
