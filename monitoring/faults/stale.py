"""Data of an earlier period delivered again, or data that end before the period."""

from collections.abc import Sequence

import numpy as np

from monitoring.faults.fault import Fault, FaultKind
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import Observed
from pipelines.profiles.reference_profile import SCORE

LEAST_FILLED = 6
"""Two windows are not equal by chance where so many bins, besides one of each column, are filled alike."""


def stale_data(window: Observed, earlier: Sequence[Observed], limits: FaultLimits) -> Fault | None:
    """Return a fault where a window equals an earlier one in each feature, or its input ends two months before."""
    if window.rows < limits.rows:
        return None
    same = next((one for one in reversed(earlier) if _same(window, one)), None)
    if same is not None:
        return _fault(_seen(window, same))
    last = None if window.intake is None else window.intake.last_month
    if last is not None and _months(last) < _months(window.period) - 1:
        return _fault(f"The newest data that the input of {window.period} holds are of {last}.")
    return None


def _seen(window: Observed, same: Observed) -> str:
    alike = f"{window.period} has the {window.rows:,} rows of {same.period}, the same counts in each feature"
    files = [one.intake.fingerprints for one in (window, same) if one.intake is not None]
    return f"{alike}, from the same input files." if len(files) == 2 and files[0] & files[1] else f"{alike}."


def _same(window: Observed, other: Observed) -> bool:
    """Whether two windows have the same counts of each feature, and enough of them that chance does not do it."""
    names = [name for name in window.counts if name != SCORE and name in other.counts]
    if window.rows != other.rows or not names:
        return False
    filled = sum(int((window.counts[name] > 0).sum()) - 1 for name in names)
    return filled >= LEAST_FILLED and all(np.array_equal(window.counts[name], other.counts[name]) for name in names)


def _months(month: str) -> int:
    """Return a month as a number of months; a name that is no month is never late."""
    year, _, number = month.partition("-")
    return int(year) * 12 + int(number) if year.isdigit() and number[:2].isdigit() else 0


def _fault(seen: str) -> Fault:
    return Fault(
        FaultKind.STALE,
        None,
        seen,
        "The job that refreshes the input did not run, or the file of an earlier period was delivered again.",
        "Run the refresh, check the newest date in the input and score the period again; that nothing moved says "
        "nothing here.",
    )
