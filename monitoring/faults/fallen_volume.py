"""Far fewer rows than earlier windows predict."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import t

from monitoring.faults.fault import Fault, window_finder
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import Observed
from monitoring.windows.months import months_between

VOLUME_FALLEN = "volume fallen"

RECENT = 12
SHORT = 3
CHANCE = 1e-3

USUAL, USUAL_WEIGHT = 0.25, 6
"""Prior of the variation of log rows: this standard deviation, with the weight of so many windows."""


def fallen_volume(window: Observed, earlier: Sequence[Observed], limits: FaultLimits) -> Iterator[Fault]:
    """Yield a fault where a window is smaller than earlier windows and their variation predict.

    The prediction is the lower of the medians of three and of twelve windows, and at most the same month a year ago, so
    that a yearly low season is not a fault.
    """
    rows = np.array([one.volume for one in sorted(earlier, key=lambda one: one.period) if one.volume > 0][-RECENT:])
    if not len(rows):
        return
    expected = min(np.median(rows), np.median(rows[-SHORT:]), *_a_year_ago(window, earlier))
    if window.volume >= limits.volume * expected or np.log(max(window.volume, 0.5)) >= _lowest(rows):
        return
    yield Fault(
        VOLUME_FALLEN,
        None,
        f"The window has {window.volume:,} rows; earlier periods predict about {expected:,.0f}.",
        "A delivery is late or incomplete, a source or channel is missing, or the period was scored before it was "
        "over.",
        "Compare the rows by day and source with the period before, load what is missing and score it. Until then the "
        "figures describe only part of the applicants.",
    )


def _lowest(rows: np.ndarray) -> float:
    """Return the log rows that a new window is below by chance alone, given the variation of earlier ones."""
    logs = np.log(rows)
    free = USUAL_WEIGHT + len(rows) - 1
    variance = (USUAL_WEIGHT * USUAL**2 + ((logs - logs.mean()) ** 2).sum()) / free
    spread = np.sqrt((variance + 1 / rows.mean()) * (1 + 1 / len(rows)))
    return float(logs.mean() + t.ppf(CHANCE, free) * spread)


def _a_year_ago(window: Observed, earlier: Sequence[Observed]) -> list[float]:
    return [one.volume for one in earlier if months_between(one.period, window.period) == 12]


FINDER = window_finder(VOLUME_FALLEN, fallen_volume, rank=70)
