"""Data of an earlier period that were delivered again, or data that end before the period."""

from collections.abc import Iterator, Sequence

import numpy as np

from monitoring.faults.fault import Fault, window_finder
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import Observed
from monitoring.windows.months import months_between
from pipelines.profiles.reference_profile import SCORE

STALE = "stale data"

LEAST_FILLED = 6
"""Two windows with so many equally filled bins, not counting one of each column, are not equal by chance."""


def stale_data(window: Observed, earlier: Sequence[Observed], limits: FaultLimits) -> Iterator[Fault]:
    """Yield a fault where a window equals an earlier one in each feature, or its input ends two months before it."""
    if window.rows < limits.rows:
        return
    same = next((one for one in reversed(earlier) if _same(window, one)), None)
    last = None if window.intake is None else window.intake.last_month
    if same is not None:
        yield _fault(_repeated(window, same))
    elif last is not None and (months_between(last, window.period) or 0) > 1:
        yield _fault(f"The input of {window.period} has no data after {last}.")


def _repeated(window: Observed, same: Observed) -> str:
    equal = f"{window.period} has {window.rows:,} rows with the same counts of every feature as {same.period}"
    files = [one.intake.fingerprints for one in (window, same) if one.intake is not None]
    return f"{equal}, read from the same input files." if len(files) == 2 and files[0] & files[1] else f"{equal}."


def _same(window: Observed, other: Observed) -> bool:
    """Whether two windows have the same counts of each feature, in enough bins to rule out chance."""
    names = [name for name in window.counts if name != SCORE and name in other.counts]
    if window.rows != other.rows or not names:
        return False
    filled = sum(int((window.counts[name] > 0).sum()) - 1 for name in names)
    return filled >= LEAST_FILLED and all(np.array_equal(window.counts[name], other.counts[name]) for name in names)


def _fault(seen: str) -> Fault:
    return Fault(
        STALE,
        None,
        seen,
        "The job that refreshes the input did not run, or the file of an earlier period was delivered again.",
        "Run the refresh, check the newest date in the input and score the period again. Until then a quiet report "
        "means nothing.",
    )


FINDER = window_finder(STALE, stale_data, rank=80)
