"""Advice in numbers where the embargo leaves too little for development."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipelines.applications.applications import Applications
from pipelines.applications.date_cuts import DateCuts
from pipelines.credit.loan import add_months

WINDOWS = (24, 18, 12, 9, 6, 3, 2, 1)
"""Performance windows to try, in months."""

LATER_CUTOFFS = (0.8, 0.9)
"""Shares of the history at which a later test part could begin."""

CLEARLY_MORE = 1.5


def embargo_advice(applications: Applications, cutoff: np.datetime64, left: int, folds: int) -> str:
    """Return the message that the embargo leaves only `left` applications, and what leaves enough for the folds."""
    assert applications.times is not None
    is_earlier = applications.times < cutoff
    remedies = [*_shorter_window(applications, cutoff, left, folds), *_later_cutoff(applications, cutoff, left, folds)]
    day = np.datetime_as_string(cutoff, unit="D")
    advice = "; or ".join(remedies) or "add older applications, raise split.cutoff or lower split.folds"
    return (
        f"{left:,} of {int(is_earlier.sum()):,} applications before the cutoff {day} are left for development, because "
        f"the outcomes of the others were not known by then; {advice}"
    )


def _shorter_window(applications: Applications, cutoff: np.datetime64, left: int, folds: int) -> Iterator[str]:
    times, known_at = applications.times, applications.outcome_known_at
    assert times is not None
    assert known_at is not None
    window = np.median(known_at - times)
    for months in WINDOWS:
        shorter = add_months(times, months)
        rows = (times < cutoff) & (shorter <= cutoff)
        if np.median(shorter - times) < window and _is_enough(applications, rows, left, folds):
            yield f"a performance window of {months} month{'s' * (months > 1)} leaves {int(rows.sum()):,}"
            return


def _later_cutoff(applications: Applications, cutoff: np.datetime64, left: int, folds: int) -> Iterator[str]:
    times, known_at = applications.times, applications.outcome_known_at
    assert times is not None
    for share in LATER_CUTOFFS:
        later = np.sort(times)[int(share * len(times))]
        rows = (times < later) & (known_at <= later)
        if later > cutoff and _is_enough(applications, rows, left, folds):
            tested = int((times >= later).sum())
            day = np.datetime_as_string(later, unit="D")
            yield f"split.cutoff={day} leaves {int(rows.sum()):,}, and {tested:,} for the test"
            return


def _is_enough(applications: Applications, rows: NDArray[np.bool_], left: int, folds: int) -> bool:
    assert applications.times is not None
    if rows.sum() < CLEARLY_MORE * left or not rows.any():
        return False
    return DateCuts(applications.times[rows], applications.outcomes[rows]).most_blocks > folds
