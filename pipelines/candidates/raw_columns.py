"""The columns of a model in a raw table, each value read as the model learnt to read it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Levels
from pipelines.candidates.portable_model import levels_of as levels_of_texts
from pipelines.reading.contract import ReadingContract
from pipelines.reading.reading import Reading
from pipelines.reading.special import code_columns, split_columns
from pipelines.reading.texts import whole
from pipelines.reading.values import Kind, numbers, spelled

TYPED = Reading()
"""How values are read of which nothing is declared."""


def raw_names(contract: ReadingContract, numeric: Sequence[str], categorical: Sequence[str]) -> list[str]:
    """Return the columns of a table that the columns of a model are read from, once each."""
    codes = code_columns(contract.reading.special)
    return list(dict.fromkeys([*numeric, *(codes.get(name, name) for name in categorical)]))


def read_columns(
    table: pa.Table, contract: ReadingContract, numeric: Sequence[str], categorical: Sequence[str]
) -> tuple[dict[str, Any], dict[str, NDArray[np.bool_]]]:
    """Return the columns of a model for its scorer, and which values of its numeric columns are no numbers, by column.

    Numbers are doubles, or single precision where they are that.
    """
    columns: dict[str, Any] = {}
    odd: dict[str, NDArray[np.bool_]] = {}
    for name in numeric:
        columns[name], is_odd = numbers_of(table, name, contract)
        if is_odd is not None and is_odd.any():
            odd[name] = is_odd
    special = contract.reading.special
    only_codes = [name for name in special if name in table.column_names and name not in columns]
    columns |= {name: numbers_of(table, name, contract)[0] for name in only_codes}
    columns = split_columns(columns, special)
    columns |= {name: levels_of_texts(columns[name]) for name in code_columns(special) if name in columns}
    for name in categorical:
        if name not in columns:
            columns[name] = levels_of(table[name], contract.kind(name), contract.reading)
    return columns, odd


def numbers_of(table: pa.Table, name: str, contract: ReadingContract) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Return a column as numbers, and which values are none (None: all are)."""
    return numbers(table[name], contract.reading, flags=contract.kind(name) is Kind.flag)


def levels_of(column: pa.ChunkedArray, kind: Kind | None = None, reading: Reading = TYPED) -> Levels:
    """Return a column as coded text, each value in its one spelling."""
    coded = _coded(column)
    names = spelled(coded.dictionary, kind, reading)
    codes = coded.indices.fill_null(-1).to_numpy() if coded.indices.null_count else coded.indices.to_numpy()
    if None in names or len(set(names)) < len(names):
        codes_by_name = {
            name: code for code, name in enumerate(dict.fromkeys(name for name in names if name is not None))
        }
        places = np.array([*(-1 if name is None else codes_by_name[name] for name in names), -1], dtype=np.int32)
        return Levels(places[codes], list(codes_by_name))
    return Levels(codes.astype(np.int32, copy=False), [name for name in names if name is not None])


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if not pt.is_dictionary(column.type):
        plain = column.cast(pa.string()) if pt.is_null(column.type) else column
        return whole(plain.dictionary_encode().unify_dictionaries())
    return whole(column.unify_dictionaries() if column.num_chunks > 1 else column)
