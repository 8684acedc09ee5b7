"""Whether Parquet files give their columns the types that the one reader finds from the values."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import Enum

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from pipelines.profiles.column_names import feature_named
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.reading.column_types import column_type
from pipelines.reading.files import TableFile
from pipelines.reading.reading import Reading
from pipelines.reading.tables import check_columns, parquet_schema, unified
from pipelines.reading.texts import is_number, is_text
from pipelines.reading.values import Kind, numbers

TRUTH = frozenset({"true", "false"})
"""The levels of a flag."""


class _Type(Enum):
    text = "text"
    whole = "whole"
    number = "number"
    flag = "flag"
    other = "other"


class Counted(Enum):
    """How a column is counted: as numbers, by its levels, or by the levels of a flag."""

    numbers = "numbers"
    levels = "levels"
    flags = "flags"


AS_THEY_ARE = {
    Counted.numbers: {_Type.whole, _Type.number, _Type.flag, _Type.other},
    Counted.levels: {_Type.text, _Type.whole, _Type.other},
    Counted.flags: {_Type.flag, _Type.other},
}
"""The types in files that need no conversion; others that cannot be counted are refused later."""


def are_typed(files: Sequence[TableFile], counted: Mapping[str, Counted], ignored: Collection[str]) -> bool:
    """Return whether the columns of Parquet files can be counted as they are stored.

    `counted` says how columns are counted, as far as that is known; the values of other columns of text are read.

    Raises:
        DataError: two files have different columns, or one cannot be read.
    """
    schemas = [parquet_schema(file.path) for file in files]
    check_columns([(file.path, [*schema.names, *file.partition]) for file, schema in zip(files, schemas, strict=True)])
    for name in (one for one in schemas[0].names if one not in ignored):
        types = {_type(schema.field(name).type) for schema in schemas if not pt.is_null(schema.field(name).type)}
        if len(types) > 1 and types != {_Type.whole, _Type.number}:
            return False
        if name in counted and not types <= AS_THEY_ARE[counted[name]]:
            return False
        if name not in counted and types == {_Type.text} and _kind_of_texts(files, name) not in (Kind.text, Kind.empty):
            return False
    return True


def counted_by(bins: Sequence[FrozenBins], coded: Collection[str]) -> dict[str, Counted]:
    """Return how columns are counted: in the bins of a reference, or by name (`coded`)."""
    by_bins = {feature_named(one.column): _counted(one) for one in bins}
    return dict.fromkeys(coded, Counted.levels) | by_bins


def are_flags(bins: FrozenBins) -> bool:
    """Return whether the levels of bins are those of a flag."""
    levels = {*bins.levels, *bins.rare}
    return bins.edges is None and bool(levels) and levels <= TRUTH


def _counted(bins: FrozenBins) -> Counted:
    if bins.edges is not None:
        return Counted.numbers
    return Counted.flags if are_flags(bins) else Counted.levels


def _type(kind: pa.DataType) -> _Type:
    value = kind.value_type if pt.is_dictionary(kind) else kind
    if is_text(value):
        return _Type.text
    if pt.is_boolean(value):
        return _Type.flag
    if pt.is_integer(value):
        return _Type.whole
    return _Type.number if is_number(value) else _Type.other


def _kind_of_texts(files: Sequence[TableFile], name: str) -> Kind:
    """Return what a column of text is; only one of numbers and other words is read row by row."""
    distinct = unified([pa.chunked_array([one]) for one in _distinct(files, name)] or [pa.chunked_array([[]])])
    values, broken = numbers(distinct, Reading())
    if broken is not None and not broken.all() and (~broken & (values == values)).any():
        return column_type(unified([_column(file, name) for file in files]), Reading()).kind
    return column_type(distinct, Reading()).kind


def _distinct(files: Sequence[TableFile], name: str) -> Iterator[pa.Array]:
    for file in files:
        with pq.ParquetFile(file.path, read_dictionary=[name]) as opened:
            for batch in opened.iter_batches(columns=[name]):
                yield batch.column(0).dictionary.cast(pa.string())


def _column(file: TableFile, name: str) -> pa.ChunkedArray:
    with pq.ParquetFile(file.path) as opened:
        return opened.read(columns=[name])[name]
