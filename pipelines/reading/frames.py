"""A table as a data frame with one form for each value, whatever file and type it was written in."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from pipelines.errors import ConfigurationError, nearest
from pipelines.reading.column_types import TIMES, ColumnType, column_type
from pipelines.reading.reading import Reading
from pipelines.reading.settings import ReadingSettings
from pipelines.reading.special import code_column, split_codes
from pipelines.reading.tables import read_table
from pipelines.reading.texts import is_number, is_text, plain, without_nulls
from pipelines.reading.times import times
from pipelines.reading.values import Kind, identities, numbers, spelled


@dataclass(frozen=True)
class Frame:
    """The rows of a table, what each column was taken for, and how its values were read.

    Numbers and flags are float64 and times datetime64 where all values are; otherwise a column holds objects: numbers,
    and texts as they are written, None for missing.
    """

    rows: pd.DataFrame
    types: Mapping[str, ColumnType]
    reading: Reading
    table: pa.Table

    def identities(self, name: str) -> NDArray[np.object_]:
        """Return the ids of a column as text exactly as they are written, None for missing."""
        return np.asarray(identities(self.table[name]).to_numpy(zero_copy_only=False), object)


def read_frame(
    path: Path,
    settings: ReadingSettings,
    root: Path,
    *,
    types: Mapping[str, ColumnType] | None = None,
    numeric: Iterable[str] = (),
    times: Collection[str] = (),
    setting: str = "data.path",
    group: str = "data",
) -> Frame:
    """Return a table with one form for each value.

    `types` are those that a model learnt, `numeric` columns that are declared to be numbers and `times` to be times;
    the types of the others are found from their values.

    Raises:
        DataError: see `read_table`.
    """
    table = read_table(path, settings, root, setting=setting, group=group)
    declared = dict.fromkeys(numeric, ColumnType(Kind.number, "declared to be numbers"))
    return frame_of(table, Reading.of(settings), {**declared, **(types or {})}, times)


def frame_of(
    table: pa.Table,
    reading: Reading,
    types: Mapping[str, ColumnType],
    declared_times: Collection[str] = (),
) -> Frame:
    """Return a table with one form for each value; see `read_frame`."""
    found = {name: types.get(name) or column_type(table[name], reading) for name in table.column_names}
    may_be_times = (Kind.text,) if reading.date_format is None else (Kind.text, Kind.number)
    found |= {name: TIMES for name in declared_times if name in found and found[name].kind in may_be_times}
    _check_special(reading, found)
    found |= {name: ColumnType(Kind.number, "special codes are declared") for name in reading.special}
    columns = {name: values_of(table[name], one.kind, reading) for name, one in found.items()}
    for name, codes in reading.special.items():
        values, levels = split_codes(_numbers(columns[name]), codes)
        is_odd = columns[name].map(lambda value: isinstance(value, str)).to_numpy(bool)
        columns[name] = pd.Series(values) if not is_odd.any() else columns[name].where(is_odd, pd.Series(values))
        columns[code_column(name)] = pd.Series(levels, dtype=object)
        found[code_column(name)] = ColumnType(Kind.text, f"the special codes of {name}")
    return Frame(pd.DataFrame(columns), found, reading, table)


def _check_special(reading: Reading, names: Collection[str]) -> None:
    for name in reading.special:
        if name not in names:
            raise ConfigurationError(
                f"data.special names '{name}', which is not a column of the table; {nearest(name, names)}"
            )


def _numbers(values: "pd.Series[Any]") -> NDArray[np.float64]:
    return np.array([np.nan if one is None or isinstance(one, str) else float(one) for one in values])


def values_of(column: pa.ChunkedArray, kind: Kind, reading: Reading) -> "pd.Series[Any]":
    """Return the values of a column of a kind in their one form."""
    if kind in (Kind.number, Kind.flag):
        values, broken = numbers(column, reading, flags=kind is Kind.flag)
        doubles = np.asarray(values, np.float64)
        return pd.Series(doubles) if broken is None else _with_texts(doubles, np.isnan(doubles), column, broken)
    if kind is Kind.time:
        moments, odd = times(column, reading)
        return pd.Series(moments) if not odd.any() else _with_texts(moments, np.isnat(moments), column, odd)
    if kind is Kind.empty and is_number(column.type):
        return pd.Series(np.full(len(column), np.nan))
    if kind in (Kind.nested, Kind.empty):
        objects: pd.Series[Any] = column.to_pandas().astype(object)
        return objects.where(objects.notna(), None)
    if is_text(column.type):
        texts = without_nulls(column, reading)
        return pd.Series(texts.to_numpy().astype(object), dtype=object)
    coded = plain(column).cast(pa.string()) if pt.is_null(column.type) else plain(column)
    dictionary = coded.dictionary_encode().unify_dictionaries().combine_chunks()
    names = np.array([*spelled(dictionary.dictionary, kind, reading), None], dtype=object)
    codes = dictionary.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return pd.Series(names[codes], dtype=object)


def _with_texts(
    values: NDArray[Any], missing: NDArray[np.bool_], column: pa.ChunkedArray, odd: NDArray[np.bool_]
) -> "pd.Series[Any]":
    """Return values as objects with the texts that could not be read as they are written."""
    objects = pd.Series(values).astype(object).to_numpy().copy()
    objects[missing] = None
    objects[odd] = np.array([str(one) for one in column.filter(pa.array(odd)).to_pylist()], dtype=object)
    return pd.Series(objects, dtype=object)
