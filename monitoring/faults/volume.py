"""Far fewer rows than the windows before let expect."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import t

from monitoring.faults.fault import Fault, FaultKind
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import Observed

RECENT = 12
SHORT = 3
CHANCE = 1e-3

USUAL, USUAL_WEIGHT = 0.25, 6
"""Before windows tell how much they vary, their log rows are taken to vary so much, as if so many had told it."""


def volume_fallen(window: Observed, earlier: Sequence[Observed], limits: FaultLimits) -> Fault | None:
    """Return a fault where a window is smaller than earlier ones, and their variation, let expect.

    What is expected is the lower of the medians of three and of twelve windows, and no more than the same month a year
    ago: a season that falls each year is none.
    """
    known = np.array([one.rows for one in sorted(earlier, key=lambda one: one.period) if one.rows > 0][-RECENT:])
    if not len(known):
        return None
    expected = min(np.median(known), np.median(known[-SHORT:]), *_a_year_ago(window, earlier))
    if window.rows >= limits.volume * expected or np.log(max(window.rows, 0.5)) >= _lowest(known):
        return None
    return Fault(
        FaultKind.VOLUME_FALLEN,
        None,
        f"{window.rows:,} rows came in where earlier periods let expect about {expected:,.0f}.",
        "A delivery is late or cut off, a source or channel is lacking, or the period was scored before it was over.",
        "Compare the rows by day and source with the period before, load what is lacking and score it; figures of a "
        "part of the applicants are not those of all.",
    )


def _lowest(known: np.ndarray) -> float:
    """Return the log rows that a new window falls below by chance alone, given how the earlier ones vary."""
    logs = np.log(known)
    free = USUAL_WEIGHT + len(known) - 1
    variance = (USUAL_WEIGHT * USUAL**2 + ((logs - logs.mean()) ** 2).sum()) / free
    spread = np.sqrt((variance + 1 / known.mean()) * (1 + 1 / len(known)))
    return float(logs.mean() + t.ppf(CHANCE, free) * spread)


def _a_year_ago(window: Observed, earlier: Sequence[Observed]) -> list[float]:
    year, dash, month = window.period.partition("-")
    if not dash or not year.isdigit():
        return []
    return [one.rows for one in earlier if one.period == f"{int(year) - 1:04}-{month}"]
