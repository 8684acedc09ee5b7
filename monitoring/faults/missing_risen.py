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
    """Return a fault where missing values rose further, and more suddenly, than a change of applicants explains.

    Where another column explains gaps they must have risen in the rest of the rows too (`structural_gaps`).
    """
    now, before = share(column.current, MISSING), max(share(past, MISSING) for past in column.past)
    rows, reference_rows = int(column.current.sum()), int(column.reference.sum())
    if not _has_risen(now, before, rows, reference_rows, limits):
        return None
    rest = [(one.rest_of(now), one.rest, round((1 - one.share) * rows)) for one in column.gaps]
    if not all(_has_risen(*one, reference_rows, limits) for one in rest):
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


def _has_risen(now: float, before: float, rows: int, reference_rows: int, limits: FaultLimits) -> bool:
    if now - before < limits.missing or odds_ratio(now, before) < limits.odds:
        return False
    return errors_apart(now * rows, rows, before * reference_rows, reference_rows) >= limits.errors


def _log_odds(part: float) -> float:
    clipped = float(np.clip(part, LEAST_SHARE, 1 - LEAST_SHARE))
    return float(np.log(clipped / (1 - clipped)))


FINDER = column_finder(MISSING_RISEN, missing_risen, Subject.MISSING, rank=50)
