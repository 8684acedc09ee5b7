"""The values of an Arrow column in one spelling each, whatever type its file gives them."""

from enum import Enum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from pipelines.errors import DataError
from pipelines.reading.marked_numbers import mark_pattern, without_symbols
from pipelines.reading.reading import Reading
from pipelines.reading.spelling import spelled_number, spelled_value
from pipelines.reading.texts import is_text, plain, whole, without_nulls
from pipelines.reading.times import times

PLAIN_NUMBER = r"^ *[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? *$|^ *[+-]?(?i:inf|infinity) *$"
"""Numbers as programs write them. A number with leading zeros is one only in a column that is known to be numeric."""
NOT_A_NUMBER = r"^ *(?i:nan) *$"
"""How programs write a missing number; in a column of text it is text."""
EXACT = 2**53
"""Beyond this a double does not hold every whole number."""
TRUE, FALSE = "true", "false"


class Kind(Enum):
    """What the values of a column are."""

    number = "number"
    flag = "flag"
    text = "text"
    time = "time"
    empty = "empty"
    nested = "nested"


def numbers(
    column: pa.ChunkedArray, reading: Reading, *, flags: bool = False
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Return a column as doubles, NaN for missing, and which values are no numbers (None: all are).

    The doubles are the nearest to what is written, whatever the type. Single precision stays as it is. With `flags` the
    words true and false are 1 and 0, in any case.
    """
    column = plain(column)
    kind = column.type
    if is_text(kind):
        found, broken = _parsed(without_nulls(column, reading), reading, flags)
        return _without_numbers(found, reading), broken
    if pt.is_boolean(kind):
        return _array(column.cast(pa.int8()).cast(pa.float64())), None
    if pt.is_null(kind):
        return np.full(len(column), np.nan), None
    if pt.is_decimal(kind):
        found = _array(column.cast(pa.string()).cast(pa.float64()))
    elif pt.is_floating(kind):
        found = _array(column.cast(pa.float32()) if pt.is_float16(kind) else column)
    elif pt.is_integer(kind):
        found = _array(column.cast(pa.float64(), safe=False))
    else:
        return np.full(len(column), np.nan), _array(column.is_valid()).astype(bool)
    return _without_numbers(found, reading), None


def spelled(values: pa.Array, kind: Kind | None, reading: Reading) -> list[str | None]:
    """Return values as text in one spelling: numbers without needless digits, flags as 1 and 0, times as ISO.

    Without a kind, each value is spelled as its own type says.

    >>> spelled(pa.array(["1.50", "x", None]), Kind.number, Reading()), spelled(pa.array([1.5]), None, Reading())
    (['1.5', 'x', None], ['1.5'])
    >>> spelled(pa.array(["01"]), Kind.text, Reading()), spelled(pa.array(["True", "0"]), Kind.flag, Reading())
    (['01'], ['1', '0'])
    """
    if not is_text(values.type):
        typed = [_spelled(one, kind) for one in values.to_pylist()]
        return [None if one in reading.nulls else one for one in typed]
    texts = without_nulls(pa.chunked_array([values]), reading)
    written: list[str | None] = texts.to_pylist()
    if kind is Kind.time:
        moments, odd = times(texts, reading)
        spelled_moments = (_spelled(one, kind) for one in pa.array(moments).to_pylist())
        return [text if is_odd else one for text, one, is_odd in zip(written, spelled_moments, odd, strict=True)]
    if kind not in (Kind.number, Kind.flag):
        return written
    parsed, is_broken = numbers(texts, reading, flags=kind is Kind.flag)
    broken = np.zeros(len(parsed), bool) if is_broken is None else is_broken
    each = zip(written, parsed.tolist(), broken.tolist(), strict=True)
    return [text if is_odd else None if one != one else spelled_number(one) for text, one, is_odd in each]


def identities(column: pa.ChunkedArray) -> pa.Array:
    """Return ids as text exactly as they are written; whole numbers never pass through a double.

    Raises:
        DataError: ids are doubles beyond the whole numbers that these hold exactly: their last digits are gone.
    """
    column = plain(column)
    if pt.is_floating(column.type) and (largest := pc.max(pc.abs(column)).as_py() or 0) >= EXACT:
        raise DataError(
            f"ids are stored as doubles, which have lost their last digits (such as {largest:.0f}); write them as "
            "text or as whole numbers"
        )
    if pt.is_binary(column.type) or pt.is_large_binary(column.type) or pt.is_fixed_size_binary(column.type):
        raise DataError("ids are stored as bytes; write them as text")
    if is_text(column.type):
        return whole(without_nulls(column, Reading()))
    if pt.is_integer(column.type):
        return whole(column.cast(pa.string()))
    return pa.array([_spelled(one, None) for one in column.to_pylist()], pa.string())


def parsed_numbers(texts: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray:
    """Return texts as doubles; what is no number, or missing, is null."""
    texts = _with_points(texts, reading)
    try:  # Arrow parses nothing but plain numbers and nan: where it parses all, the slower check is not needed
        found = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        found = None
    if found is not None and not pc.any(pc.is_nan(found)).as_py():
        return found
    is_plain = pc.match_substring_regex(texts, PLAIN_NUMBER)
    kept = pc.if_else(is_plain, texts, pa.scalar(None, pa.string()))
    return pc.utf8_ltrim(pc.utf8_trim_whitespace(kept), "+").cast(pa.float64())


def _with_points(texts: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray:
    """Return texts with numbers spelled as programs do; a text with marks in wrong places is not a number."""
    found = texts
    if reading.symbols:
        found = pc.replace_substring_regex(found, without_symbols(reading.symbols), r"\1\2")
    if reading.thousands is not None:
        mark = mark_pattern(reading.thousands)
        group = rf"^ *[+-]?[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+(?:[^0-9].*)?$"
        bare = pc.replace_substring_regex(found, mark, "")
        others = pc.if_else(pc.match_substring_regex(found, rf"[0-9]{mark}[0-9]"), "not a number", found)
        found = pc.if_else(pc.match_substring_regex(found, group), bare, others)
    if reading.decimal != ".":
        pointed = pc.if_else(pc.match_substring(found, "."), "not a number", found)
        found = pc.replace_substring(pointed, reading.decimal, ".")
    return found


def _parsed(texts: pa.ChunkedArray, reading: Reading, flags: bool) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    found = parsed_numbers(_flags_as_digits(texts) if flags else texts, reading)
    values = np.array(_array(found)) if found.null_count == len(found) else _array(found)
    if found.null_count == texts.null_count:
        return values, None
    odd = pc.and_(pc.and_(found.is_null(), texts.is_valid()), pc.invert(pc.match_substring_regex(texts, NOT_A_NUMBER)))
    broken = _array(pc.fill_null(odd, False)).astype(bool)
    return values, broken if broken.any() else None


def _flags_as_digits(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    lower = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
    return pc.if_else(pc.equal(lower, TRUE), "1", pc.if_else(pc.equal(lower, FALSE), "0", texts))


def _spelled(value: Any, kind: Kind | None) -> str | None:
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return str(value) if kind in (None, Kind.text) else str(int(value))
    return spelled_value(value)


def _without_numbers(values: NDArray[Any], reading: Reading) -> NDArray[Any]:
    """Return numbers in which those that mean missing are NaN."""
    missing = reading.null_numbers
    if not missing:
        return values
    return np.where(np.isin(values, missing), values.dtype.type(np.nan), values)


def _array(column: pa.ChunkedArray) -> NDArray[Any]:
    return np.asarray(whole(column).to_numpy(zero_copy_only=False))
