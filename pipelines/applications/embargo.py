"""Advice in numbers where the embargo leaves too little for development."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from pipelines.applications.applications import Applications
from pipelines.credit.loan import add_months
from pipelines.reading.spelling import iso_day

WINDOWS = (24, 18, 12, 9, 6, 3, 2, 1)
"""Performance windows to try, in months."""

LATER_CUTOFFS = (0.8, 0.9)
"""Shares of the history at which a later test part could begin."""

CLEARLY_MORE = 1.5


IsPossible = Callable[[Applications, np.datetime64], bool]
"""Whether applications can be split at a cutoff."""


def embargo_advice(
    applications: Applications, cutoff: np.datetime64, left: int, fewer_folds: str | None, is_possible: IsPossible
) -> str:
    """Return the message that the embargo leaves only `left` applications, and what leaves enough for the folds."""
    assert applications.times is not None
    is_earlier = applications.times < cutoff
    remedies = [*_shorter_window(applications, cutoff, left, is_possible)]
    remedies += later_cutoff(applications, cutoff, lambda later: is_possible(applications, later), left)
    remedies += [fewer_folds] if fewer_folds else []
    return (
        f"{left:,} of {int(is_earlier.sum()):,} applications before the cutoff {iso_day(cutoff)} are left for "
        "development, because the outcomes of the others were not known by then; "
        f"{'; or '.join(remedies) or 'add older applications'}"
    )


def _shorter_window(
    applications: Applications, cutoff: np.datetime64, left: int, is_possible: IsPossible
) -> Iterator[str]:
    times, known_at = applications.times, applications.outcome_known_at
    assert times is not None
    assert known_at is not None
    window = np.median(known_at - times)
    for months in WINDOWS:
        shorter = add_months(times, months)
        rows = (times < cutoff) & (shorter <= cutoff)
        is_more = np.median(shorter - times) < window and rows.sum() >= CLEARLY_MORE * left
        if is_more and is_possible(replace(applications, outcome_known_at=shorter), cutoff):
            yield f"a performance window of {months} month{'s' * (months > 1)} leaves {int(rows.sum()):,}"
            return


def later_cutoff(
    applications: Applications, cutoff: np.datetime64, is_possible: Callable[[np.datetime64], bool], left: int = 0
) -> Iterator[str]:
    """Yield the first later cutoff that leaves clearly more than `left` applications and can be split at, if any."""
    times, known_at = applications.times, applications.outcome_known_at
    assert times is not None
    for share in LATER_CUTOFFS:
        later = np.sort(times)[int(share * len(times))].astype("datetime64[D]").astype("datetime64[us]")
        rows = times < later if known_at is None else (times < later) & (known_at <= later)
        if later > cutoff and rows.sum() >= CLEARLY_MORE * left and is_possible(later):
            tested = int((times >= later).sum())
            yield f"split.cutoff={iso_day(later)} leaves {int(rows.sum()):,}, and {tested:,} for the test"
            return
