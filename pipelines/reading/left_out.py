"""Columns that are no features: running row numbers, constants and copies of another column, each with its reason."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

FEWEST = 20
"""Rows below which whole numbers in a row may be chance."""
UNNAMED = ("Unnamed:", "__index_level_")
"""How columns without a name are called: the row numbers that data frames write."""


def uninformative(rows: pd.DataFrame, names: Sequence[str], before: Sequence[str] = ()) -> dict[str, str]:
    """Return why some columns are no features.

    Args:
        rows: The table, one form for each value (see `Frame`).
        names: The columns that may be features.
        before: Features that are declared; a column that equals one of them is left out too.
    """
    reasons: dict[str, str] = {}
    seen: dict[int, list[str]] = {}
    for name in (*before, *names):
        hashes = pd.util.hash_pandas_object(rows[name], index=False).to_numpy()
        twins = seen.setdefault(hash(hashes.tobytes()), [])
        if name in names:
            reason = _reason(name, rows[name]) or _copy(name, twins, rows)
            if reason:
                reasons[name] = reason
                continue
        twins.append(name)
    return reasons


def is_row_number(name: str, values: "pd.Series[Any]") -> bool:
    """Return whether values number the rows: whole numbers one after the other, in any order of the rows.

    Those of a column without a name may have gaps, as the rows that are left after others were dropped.
    """
    if not pd.api.types.is_float_dtype(values) or len(values) < FEWEST or not np.isfinite(values).all():
        return False
    numbers = values.to_numpy()
    if (numbers != np.trunc(numbers)).any():
        return False
    ordered = np.sort(numbers)
    if (np.diff(ordered) == 1).all():
        return True
    return name.startswith(UNNAMED) and bool((np.diff(ordered) > 0).all())


def listed(reasons: Mapping[str, str]) -> str:
    """Return columns and why they are left out, in words."""
    return ", ".join(f"{name} ({reason})" for name, reason in reasons.items())


def _reason(name: str, values: "pd.Series[Any]") -> str | None:
    if is_row_number(name, values):
        return "running row numbers"
    if values.nunique(dropna=False) == 1:
        first = values.iloc[0]
        if isinstance(first, float) and np.isinf(first):
            return None  # it breaks the contract, row by row
        return "no value in any row" if pd.isna(first) else f"{_shown(first)} in every row"
    return None


def _copy(name: str, twins: Sequence[str], rows: pd.DataFrame) -> str | None:
    twin = next((one for one in twins if rows[one].equals(rows[name])), None)
    return None if twin is None else f"equal to {twin}"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else f"'{value}'"
