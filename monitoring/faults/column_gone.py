"""Columns of the reference that are missing in every row of the window."""

from monitoring.faults.column import Column, share
from monitoring.faults.fault import Fault, Subject, column_finder
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import MISSING

COLUMN_GONE = "column gone"
CHANCE = 1e-6


def column_gone(column: Column, _: FaultLimits) -> Fault | None:
    """Return a fault where a column that the reference has is missing in every row."""
    missing, rows = share(column.reference, MISSING), int(column.current.sum())
    if rows < 2 or share(column.current, MISSING) < 1 or missing == 1:
        return None
    if missing > 0 and missing**rows > CHANCE:  # a small window of a sparse column
        return None
    return Fault(
        COLUMN_GONE,
        column.name,
        f"'{column.name}' is missing in all {rows:,} rows; the reference has it in {1 - missing:.1%} of its rows.",
        "The source no longer delivers the column, it was renamed, or the step that joins it failed.",
        f"Ask the owner of '{column.name}', restore the column and score the period again. Do not retrain: the model "
        "would only learn to do without the column.",
    )


FINDER = column_finder(COLUMN_GONE, column_gone, Subject.VALUES | Subject.MISSING, rank=10, in_small_windows=True)
