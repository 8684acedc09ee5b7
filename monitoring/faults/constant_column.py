"""Columns that have a single value where they had many."""

import numpy as np

from monitoring.faults.column import Column
from monitoring.faults.fault import Fault, Subject, column_finder
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import MISSING

CONSTANT = "column constant"
CHANCE = 1e-6


def constant_column(column: Column, limits: FaultLimits) -> Fault | None:
    """Return a fault where all present values are equal, which no month of the reference shows."""
    present = column.current[MISSING + 1 :]
    rows, fullest = int(present.sum()), int(np.argmax(present))
    if rows < limits.rows or present[fullest] < rows or _was_constant(column):
        return None
    before = column.reference[MISSING + 1 :]
    if (before[fullest] / max(before.sum(), 1)) ** rows > CHANCE or not _sample_is_constant(column):
        return None
    return Fault(
        CONSTANT,
        column.name,
        f"'{column.name}' is {_value(column, fullest)} in all {rows:,} rows; the reference fills "
        f"{int((before > 0).sum())} of its bins.",
        "The source fills in a default, or a lookup returns the same value for everyone.",
        f"Ask the owner of '{column.name}' what changed and score the period again with the correct values. Do not "
        "retrain: a model fitted on a constant drops the column.",
    )


def _was_constant(column: Column) -> bool:
    return any(int((past[MISSING + 1 :] > 0).sum()) <= 1 for past in column.past)


def _sample_is_constant(column: Column) -> bool:
    """Whether all sampled values are equal; numbers of one bin may differ, so without a sample they are not."""
    values = None if column.sample is None else column.sample.dropna()
    if values is None or values.empty:
        return not column.is_numeric
    return bool(values.nunique() == 1)


def _value(column: Column, index: int) -> str:
    values = None if column.sample is None else column.sample.dropna()
    if values is None or values.empty:
        return f"'{column.bins.labels[MISSING + 1 + index]}'"
    return f"{values.iloc[0]:,g}" if column.is_numeric else f"'{values.iloc[0]}'"


FINDER = column_finder(CONSTANT, constant_column, Subject.VALUES, rank=40)
