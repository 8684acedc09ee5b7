"""The features of a version, read from a raw table as the version's own record says.

Two versions may take one column differently: as text or as numbers, with special codes or without. Each is judged on
what it reads when it scores the same rows.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.applications.applications import Applications
from pipelines.candidates.portable_model import Levels
from pipelines.candidates.raw_columns import raw_names, read_columns
from pipelines.errors import RequestError
from pipelines.model_store.predictor import Predictor
from pipelines.reading.contract import ReadingContract
from pipelines.reading.reading import Reading

MOST_UNREADABLE = 0.1
"""Share of a column's values that may be no numbers where a version learnt numbers; they count as missing."""


def features_of(predictor: Predictor, applications: Applications, title: str) -> pd.DataFrame:
    """Return the features of a version for applications that were loaded with their raw rows.

    Raises:
        RequestError: the table lacks a column of the version, or too many values are not the numbers that it learnt.
    """
    assert applications.raw is not None
    contract = _contract_of(predictor, applications.roles.contract.reading)
    names = raw_names(contract, predictor.numeric, predictor.categorical)
    lacking = sorted(set(names) - set(applications.raw.table.column_names))
    if lacking:
        raise RequestError(
            f"{title} needs columns that the data does not have: {', '.join(lacking)}; add them or use other data"
        )
    columns, odd = read_columns(applications.raw.columns(names), contract, predictor.numeric, predictor.categorical)
    for name in predictor.numeric:
        values = np.asarray(columns[name], np.float64)
        is_odd = odd.get(name, np.zeros(len(values), bool)) | np.isinf(values)
        if is_odd.sum() > MOST_UNREADABLE * len(values):
            raise RequestError(
                f"{title} learnt numbers in column '{name}', and {int(is_odd.sum()):,} of {len(values):,} values are "
                "not finite numbers; correct the column or use other data"
            )
        columns[name] = np.where(is_odd, np.nan, values)
    return pd.DataFrame({name: as_array(columns[name]) for name in (*predictor.numeric, *predictor.categorical)})


def _contract_of(predictor: Predictor, table: Reading) -> ReadingContract:
    """Return how a version reads a table: text is spelled as the table's settings say, and means what it learnt.

    Words that mean missing in the table do so for the version too, unless it learnt them as levels. Numbers do only
    where its own record says so. A version without a record reads as the table's settings say.
    """
    contract = predictor.contract
    if not contract.types:
        return replace(contract, reading=table)
    levels = {level for known in predictor.known_levels.values() for level in known}
    words = [one for one in table.nulls if one not in levels and not _is_number(one)]
    own = contract.reading
    nulls = tuple(dict.fromkeys([*own.nulls, *words]))
    return replace(contract, reading=replace(table, nulls=nulls, special=own.special))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def as_array(values: Any) -> NDArray[Any]:
    """Return a column of a model as an array: numbers, or text and None."""
    if not isinstance(values, Levels):
        return np.asarray(values)
    return np.asarray(np.array([*values.names, None], dtype=object)[values.codes])
