"""The outcomes to expect for a PD by another definition of bad, from earlier vintages with known outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitoring.outcomes.settings import PerformanceSettings
from monitoring.outcomes.vintage_loans import VintageCounts
from pipelines.credit.importance import Recalibration, recalibrate_counts
from pipelines.credit.tally import Tally


@dataclass(frozen=True)
class ExpectedPerformance:
    """The recalibration of PDs to a definition of bad, and the vintages that it was fitted on."""

    recalibration: Recalibration
    periods: tuple[str, ...]

    @property
    def source(self) -> str:
        """The vintages that the expectation comes from, in words."""
        first, last = self.periods[0], self.periods[-1]
        return first + (f" to {last}" if last != first else "")


def expected_performance(
    vintages: Sequence[VintageCounts], settings: PerformanceSettings, before: str | None = None
) -> ExpectedPerformance | None:
    """Return the expectation from the oldest `yardstick_vintages` vintages, None where they have too few outcomes.

    The oldest ones, so that a change does not become its own expectation; `before` leaves out a vintage and later ones.
    """
    earlier = sorted((one for one in vintages if one.loans and (before is None or one.period < before)), key=_period)
    chosen = earlier[: settings.yardstick_vintages]
    if not chosen:
        return None
    scores, goods, bads = (
        np.concatenate([getattr(one.counts, name) for one in chosen]) for name in ("score", "good", "bad")
    )
    few = min(bads.sum(), goods.sum()) < settings.least_of_each
    if few or scores.min() == scores.max():
        return None
    recalibration = recalibrate_counts(Tally(scores, goods, bads))
    return ExpectedPerformance(recalibration, tuple(one.period for one in chosen))


def _period(one: VintageCounts) -> str:
    return one.period
