"""The columns of two samples that Evidently can summarise."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

MOST_CATEGORIES = 100


def explorable_columns(
    reference: pd.DataFrame, current: pd.DataFrame, categorical: Collection[str]
) -> tuple[dict[str, list[pd.Series]], list[str], str]:
    """Return both samples of each column that Evidently can summarise, the other columns, and a note on the rows."""
    shared = [name for name in reference if name in current]
    pairs = {str(name): _alike(reference[name], current[name], name in categorical) for name in shared}
    shown = {name: pair for name, pair in pairs.items() if all(map(_can_be_drawn, pair))}
    hidden = [name for name in dict.fromkeys(map(str, [*reference, *current])) if name not in shown]
    note = f"For exploration: {len(reference):,} rows of the reference and {len(current):,} of this window."
    return shown, hidden, note


def _alike(reference: pd.Series, current: pd.Series, is_category: bool) -> list[pd.Series]:
    """Return both columns as floats without infinities, or both as text."""
    pair = [reference, current]
    if is_category or not all(is_numeric_dtype(column) and not is_bool_dtype(column) for column in pair):
        return [column.astype(object).map(str, na_action="ignore") for column in pair]
    return [column.astype(float).replace([np.inf, -np.inf], np.nan) for column in pair]


def _can_be_drawn(column: pd.Series) -> bool:
    """Whether a column has values (an empty one ends the report, evidently#1480) and not too many categories."""
    return bool(column.notna().any()) and (is_numeric_dtype(column) or column.nunique() <= MOST_CATEGORIES)
