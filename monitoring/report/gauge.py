"""A PSI against its limit: the length of a bar, and the position of the limit on it."""

import math
from dataclasses import dataclass

from monitoring.thresholds.thresholds import Judgement

ROOM = 1.5
"""The full length of a bar in multiples of the limit; more where the PSI is larger."""


@dataclass(frozen=True)
class Gauge:
    """Both in percent of the full length of the bar."""

    length: float
    limit: float


def gauge_of(judgement: Judgement) -> Gauge:
    """Return the bar of a judgement."""
    if not math.isfinite(judgement.limit) or judgement.limit <= 0:
        return Gauge(0.0, 100.0)
    room = max(judgement.psi, ROOM * judgement.limit)
    return Gauge(100 * judgement.psi / room, 100 * judgement.limit / room)


def nearness(judgement: Judgement, steps: int) -> int:
    """Return the step of a PSI among equal steps from 0 to its limit, the last one beyond the limit."""
    gauge = gauge_of(judgement)
    return min(int(steps * gauge.length / gauge.limit), steps - 1)
