"""Values of Arrow columns as bins count them: numbers as the nearest doubles, texts as codes."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Levels

EXACT_DIGITS = 15
"""A whole number of so many digits, and ten to the power of as many, are doubles: their quotient is the nearest one."""


def numbers_in(column: pa.ChunkedArray) -> NDArray[Any]:
    """Return numbers as float32 where they are no finer than that, as float64 otherwise; NaN is missing."""
    if pt.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pt.is_null(kind):
        return np.full(len(column), np.nan, dtype=np.float32)
    if pt.is_decimal(kind):
        return _decimals(column)
    if pt.is_boolean(kind):
        column = column.cast(pa.int8())
    if pt.is_boolean(kind) or pt.is_float16(kind) or kind in (pa.int8(), pa.uint8(), pa.int16(), pa.uint16()):
        column = column.cast(pa.float32())
    elif not pt.is_floating(kind):
        column = column.cast(pa.float64(), safe=False)  # the nearest double of what is beyond 2^53
    return np.asarray(_whole(column).to_numpy(zero_copy_only=False))


def levels_in(column: pa.ChunkedArray) -> Levels:
    """Return texts, whole numbers or flags as coded text; numbers are spelled in digits, flags true and false."""
    values = column.type.value_type if pt.is_dictionary(column.type) else column.type
    if not pt.is_dictionary(column.type):
        column = (column.cast(pa.string()) if pt.is_null(values) else column).dictionary_encode()
    coded = _whole(column.unify_dictionaries() if column.num_chunks > 1 else column)
    names = coded.dictionary.cast(pa.string()).to_pylist()
    codes = np.asarray(coded.indices.fill_null(-1) if coded.indices.null_count else coded.indices).astype(np.int32)
    if None in names or len(set(names)) < len(names):
        code_of_name = {
            name: code for code, name in enumerate(dict.fromkeys(name for name in names if name is not None))
        }
        codes = np.array([*(code_of_name.get(name, -1) for name in names), -1], dtype=np.int32)[codes]
        names = list(code_of_name)
    return Levels(codes, names)


def _decimals(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return the double nearest to each decimal: Arrow's own cast may be a bit off in the last place."""
    kind = column.type
    if kind.bit_width != 128 or kind.precision > EXACT_DIGITS or not 0 <= kind.scale <= EXACT_DIGITS:
        return np.asarray(_whole(column.cast(pa.string()).cast(pa.float64())).to_numpy(zero_copy_only=False))
    values = _whole(column)
    words = np.frombuffer(values.buffers()[1], dtype="<i8")[2 * values.offset : 2 * (values.offset + len(values))]
    numbers = np.asarray(words[::2] / 10.0**kind.scale)  # the lower half of 128 bits has all digits and the sign
    if values.null_count:
        numbers[values.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return numbers


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
