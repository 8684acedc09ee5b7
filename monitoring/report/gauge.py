"""How near a PSI lies to its limit: the length of a bar, and where the limit is marked on it."""

import math
from dataclasses import dataclass

from monitoring.thresholds.thresholds import Judgement

ROOM = 1.5
"""A bar has room for so many times the limit, and for more where the PSI is larger."""


@dataclass(frozen=True)
class Gauge:
    """Both in percent of the bar's room."""

    length: float
    limit: float


def gauge_of(judgement: Judgement) -> Gauge:
    """Return the bar of a judgement."""
    if not math.isfinite(judgement.limit) or judgement.limit <= 0:
        return Gauge(0.0, 100.0)
    room = max(judgement.psi, ROOM * judgement.limit)
    return Gauge(100 * judgement.psi / room, 100 * judgement.limit / room)


def nearness(judgement: Judgement, steps: int) -> int:
    """Return in which of so many equal steps from 0 to its limit a PSI lies, the last where it is beyond."""
    gauge = gauge_of(judgement)
    return min(int(steps * gauge.length / gauge.limit), steps - 1)
