"""Missing values that rose suddenly."""

import numpy as np

from monitoring.faults.column import Column, errors_apart, is_gradual, odds_ratio, share
from monitoring.faults.fault import Fault, Subject, column_finder
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import MISSING

MISSING_RISEN = "missing values risen"
LEAST_SHARE = 1e-3
"""Shares below it are not distinguished."""


def missing_risen(column: Column, limits: FaultLimits) -> Fault | None:
    """Return a fault where missing values rose further, and more suddenly, than a change of applicants explains."""
    now, before = share(column.current, MISSING), max(share(past, MISSING) for past in column.past)
    if now - before < limits.missing or odds_ratio(now, before) < limits.odds:
        return None
    if _errors(column, before) < limits.errors:
        return None
    steps = [_log_odds(share(one, MISSING)) for one in column.earlier]
    if is_gradual(_log_odds(share(column.reference, MISSING)), steps, _log_odds(now)):
        return None
    return Fault(
        MISSING_RISEN,
        column.name,
        f"'{column.name}' is missing in {now:.1%} of the rows, against at most {before:.1%} in the reference.",
        "Some sources, days or partitions came without the column, or a join matches fewer rows than before.",
        f"Compare '{column.name}' by source and by day, load what is missing and score those rows again. Do not "
        "retrain: the applicants have not changed, and a new model would fit the gap.",
    )


def _errors(column: Column, before: float) -> float:
    rows, reference_rows = int(column.current.sum()), int(column.reference.sum())
    return errors_apart(int(column.current[MISSING]), rows, before * reference_rows, reference_rows)


def _log_odds(part: float) -> float:
    clipped = float(np.clip(part, LEAST_SHARE, 1 - LEAST_SHARE))
    return float(np.log(clipped / (1 - clipped)))


FINDER = column_finder(MISSING_RISEN, missing_risen, Subject.MISSING, rank=50)
