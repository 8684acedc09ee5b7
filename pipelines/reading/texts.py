"""Columns in Arrow: of text or numbers, coded or plain, in one chunk, without the words that mean missing."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from pipelines.reading.reading import Reading


def is_text(kind: pa.DataType) -> bool:
    """Return whether a type is that of text, coded or not."""
    value = kind.value_type if pt.is_dictionary(kind) else kind
    return bool(pt.is_string(value) or pt.is_large_string(value) or pt.is_string_view(value))


def is_number(kind: pa.DataType) -> bool:
    """Return whether a type is that of numbers; flags have one of their own."""
    value = kind.value_type if pt.is_dictionary(kind) else kind
    return bool(pt.is_integer(value) or pt.is_floating(value) or pt.is_decimal(value))


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without its coding."""
    return column.cast(column.type.value_type) if pt.is_dictionary(column.type) else column


def without_nulls(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray:
    """Return a text column in which an empty text and the words that mean missing are missing."""
    texts = column if pt.is_string(column.type) else plain(column).cast(pa.string())
    if reading.nulls:
        is_missing = pc.is_in(texts, value_set=pa.array(["", *reading.nulls], pa.string()))
    else:
        is_missing = pc.equal(pc.binary_length(texts), 0)
    return pc.if_else(is_missing, pa.scalar(None, pa.string()), texts) if pc.any(is_missing).as_py() else texts


def whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    found = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
