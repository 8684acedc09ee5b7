"""Columns that are gone, and missing values that rose at once."""

import numpy as np

from monitoring.faults.column import MISSING, Column, errors_apart, is_gradual, odds_ratio, share
from monitoring.faults.fault import Fault, FaultKind
from monitoring.faults.limits import FaultLimits


def column_gone(column: Column) -> Fault | None:
    """Return a fault where a column that the reference knew is missing in every row."""
    known = share(column.reference, MISSING)
    if not column.current.sum() or share(column.current, MISSING) < 1 or known == 1 or column.current.sum() < 2:
        return None
    if known > 0 and known ** int(column.current.sum()) > 1e-6:  # a small window of a sparse column
        return None
    return Fault(
        FaultKind.COLUMN_GONE,
        column.name,
        f"'{column.name}' is missing in each of {column.current.sum():,} rows; the reference held it in "
        f"{1 - known:.1%} of its rows.",
        "The source no longer delivers the column, or it was renamed, or the step that joins it failed.",
        f"Ask who delivers '{column.name}', restore the column and score the period again; a model fitted now would "
        "only learn to do without it.",
    )


def missing_risen(column: Column, limits: FaultLimits) -> Fault | None:
    """Return a fault where missing values rose further, and more suddenly, than people's mix makes them."""
    now, known = share(column.current, MISSING), max(share(past, MISSING) for past in column.past)
    if now - known < limits.missing or odds_ratio(now, known) < limits.odds:
        return None
    if _errors(column, known) < limits.errors:
        return None
    steps = [_log_odds(share(one, MISSING)) for one in column.earlier]
    if is_gradual(_log_odds(share(column.reference, MISSING)), steps, _log_odds(now)):
        return None
    return Fault(
        FaultKind.MISSING_RISEN,
        column.name,
        f"'{column.name}' is missing in {now:.1%} of the rows; in the reference it never was in more than {known:.1%}.",
        "Some of the sources, days or partitions came without the column, or a join finds fewer matches than before.",
        f"Compare '{column.name}' by source and day, load what is lacking and score those rows again; the people are "
        "as they were, a retraining would fit the gap.",
    )


def _errors(column: Column, known: float) -> float:
    rows, reference_rows = int(column.current.sum()), int(column.reference.sum())
    return errors_apart(int(column.current[MISSING]), rows, known * reference_rows, reference_rows)


def _log_odds(part: float) -> float:
    kept = float(np.clip(part, 1e-3, 1 - 1e-3))  # below one in a thousand nothing is told apart
    return float(np.log(kept / (1 - kept)))
