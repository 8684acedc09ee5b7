"""What outcomes to expect of a PD: learnt from earlier vintages, whose outcomes are known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.outcomes.decisions import Decisions
from monitoring.outcomes.observed import enough
from monitoring.outcomes.outcomes import Outcomes
from monitoring.outcomes.reweighting import EarlierLoans
from monitoring.outcomes.settings import PerformanceSettings
from pipelines.credit.backtest import level_shift, variance_between, variance_from_expected
from pipelines.credit.importance import Recalibration, recalibrate
from pipelines.credit.loan import UNLABELLED

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Loans:
    """The approved of a vintage whose outcome is known by some definition, each array of shape (n,)."""

    period: str
    bad: Codes
    probability: Floats
    band: NDArray[np.str_]

    @classmethod
    def of(cls, decisions: Decisions, outcome: Codes) -> "Loans":
        """Return the approved with an outcome; `outcome` are the codes of all decisions."""
        rows = decisions.approved & (outcome != UNLABELLED)
        return cls(decisions.period, outcome[rows], decisions.probability[rows], decisions.band[rows])


@dataclass(frozen=True)
class KnownSoFar:
    """The outcomes of all vintages, by the early and by the full definition."""

    early: Sequence[Loans]
    full: Sequence[Loans]


def known_of(
    decisions: Sequence[Decisions], earlier: EarlierLoans | None = None, early: Outcomes | None = None
) -> KnownSoFar:
    """Return what is known of decisions by period, and of earlier loans in the months before them."""
    known = KnownSoFar([Loans.of(one, one.early) for one in decisions], [Loans.of(one, one.full) for one in decisions])
    if not decisions or earlier is None or earlier.ids is None or earlier.period is None:
        return known
    codes = None if early is None else early.of(pa.array(earlier.ids))
    begun = min(one.period for one in decisions)
    return KnownSoFar(
        [*_vintages(earlier, codes, begun), *known.early], [*_vintages(earlier, earlier.bad, begun), *known.full]
    )


def _vintages(earlier: EarlierLoans, outcome: Codes | None, begun: str) -> list[Loans]:
    """Return earlier loans month by month, those of the months before the score log begins."""
    assert earlier.period is not None
    if outcome is None:
        return []
    rows = {str(one): (earlier.period == one) & (outcome != UNLABELLED) for one in np.unique(earlier.period)}
    return [
        Loans(period, outcome[is_in], earlier.probability[is_in], np.full(int(is_in.sum()), ""))
        for period, is_in in rows.items()
        if period < begun
    ]


@dataclass(frozen=True)
class Yardstick:
    """The PD's meaning for a definition of bad, as earlier vintages tell it, and how far off it they lie (variance)."""

    recalibration: Recalibration
    between: float
    periods: tuple[str, ...]

    @property
    def told(self) -> str:
        """Which vintages the expectation comes from, in words."""
        first, last = self.periods[0], self.periods[-1]
        return first + (f" to {last}" if last != first else "")


def yardstick_before(period: str, known: Sequence[Loans], settings: PerformanceSettings) -> Yardstick | None:
    """Return the yardstick for a vintage, None where no earlier one has enough outcomes.

    It is learnt from the oldest `yardstick_vintages` vintages before it: a change must not become its own yardstick.
    How far levels lie off it all of those before tell: the economy of a few years moves further than that of one.
    """
    earlier = sorted((one for one in known if one.period < period and len(one.bad)), key=lambda one: one.period)
    chosen = earlier[: settings.yardstick_vintages]
    if not chosen:
        return None
    bad, probability = (np.concatenate([getattr(one, name) for one in chosen]) for name in ("bad", "probability"))
    if not enough(bad, settings) or probability.min() == probability.max():
        return None
    found = recalibrate(bad, probability)
    periods = tuple(one.period for one in chosen)
    off = variance_from_expected([level_shift(one.bad, one.probability, found) for one in earlier])
    return Yardstick(found, off, periods)


def level_between(period: str, known: Sequence[Loans], recalibration: Recalibration | None) -> float:
    """Return the variance of level between the vintages before a period, in log-odds squared."""
    earlier = [one for one in known if one.period < period and len(one.bad)]
    return variance_between([level_shift(one.bad, one.probability, recalibration) for one in earlier])
