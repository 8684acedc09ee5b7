"""Columns that hold a single value where they held many."""

import numpy as np

from monitoring.faults.column import MISSING, Column
from monitoring.faults.fault import Fault, FaultKind
from monitoring.faults.limits import FaultLimits

CHANCE = 1e-6


def column_constant(column: Column, limits: FaultLimits) -> Fault | None:
    """Return a fault where all present values are the same, which the reference's own months never were."""
    present = column.current[MISSING + 1 :]
    rows, place = int(present.sum()), int(np.argmax(present))
    if rows < limits.rows or present[place] < rows or _held_one_value(column):
        return None
    before = column.reference[MISSING + 1 :]
    if (before[place] / max(before.sum(), 1)) ** rows > CHANCE or not _sample_agrees(column):
        return None
    return Fault(
        FaultKind.CONSTANT,
        column.name,
        f"'{column.name}' is {_told(column, place)} in each of {rows:,} rows; in the reference "
        f"{int((before > 0).sum())} of its bins were filled.",
        "The source fills in a default, or a lookup answers the same for everybody.",
        f"Ask who delivers '{column.name}' what changed, and score the period again with the true values; a model "
        "fitted on a constant would drop it.",
    )


def _held_one_value(column: Column) -> bool:
    """Whether some month of the reference, or the reference itself, filled no more than one bin of values."""
    return any(int((past[MISSING + 1 :] > 0).sum()) <= 1 for past in column.past)


def _sample_agrees(column: Column) -> bool:
    """Whether the kept values are one; numbers in one bin may differ, so without a sample they are not called one."""
    values = None if column.sample is None else column.sample.dropna()
    if values is None or values.empty:
        return not column.is_numeric
    return bool(values.nunique() == 1)


def _told(column: Column, place: int) -> str:
    values = None if column.sample is None else column.sample.dropna()
    if values is None or values.empty:
        return f"'{column.bins.labels[MISSING + 1 + place]}'"
    return f"{values.iloc[0]:,g}" if column.is_numeric else f"'{values.iloc[0]}'"
