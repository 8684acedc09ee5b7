"""The outcomes to expect for a PD, from earlier vintages with known outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.outcomes.decisions import Decisions
from monitoring.outcomes.earlier_loans import EarlierLoans
from monitoring.outcomes.observed import enough
from monitoring.outcomes.outcomes import Outcomes
from monitoring.outcomes.settings import PerformanceSettings
from pipelines.credit.backtest import level_shift, variance_between, variance_from_expected
from pipelines.credit.importance import Recalibration, recalibrate
from pipelines.credit.loan import UNLABELLED

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Loans:
    """Loans of a vintage with a known outcome by some definition, each array of shape (n,)."""

    period: str
    bad: Codes
    probability: Floats
    band: NDArray[np.str_]

    @classmethod
    def of(cls, decisions: Decisions, outcome: Codes) -> "Loans":
        """Return those that are compared and have an outcome; `outcome` are the codes of all decisions."""
        return cls._of(decisions, outcome, decisions.compared)

    @classmethod
    def of_approved(cls, decisions: Decisions, outcome: Codes) -> "Loans":
        """Return the approved with an outcome."""
        return cls._of(decisions, outcome, decisions.approved)

    @classmethod
    def _of(cls, decisions: Decisions, outcome: Codes, chosen: NDArray[np.bool_]) -> "Loans":
        rows = chosen & (outcome != UNLABELLED)
        return cls(decisions.period, outcome[rows], decisions.probability[rows], decisions.band[rows])


@dataclass(frozen=True)
class VintageOutcomes:
    """The known outcomes of all vintages, by the early and by the full definition."""

    early: Sequence[Loans]
    full: Sequence[Loans]


def vintage_outcomes(
    decisions: Sequence[Decisions], earlier: EarlierLoans | None = None, early: Outcomes | None = None
) -> VintageOutcomes:
    """Return the known outcomes of decisions by period, and of earlier loans in the months before them."""
    by_early = [Loans.of(one, one.early) for one in decisions]
    by_full = [Loans.of(one, one.full) for one in decisions]
    if not decisions or earlier is None or earlier.ids is None or earlier.period is None:
        return VintageOutcomes(by_early, by_full)
    codes = None if early is None else early.of(pa.array(earlier.ids))
    begin = min(one.period for one in decisions)
    return VintageOutcomes(
        [*_earlier_vintages(earlier, codes, begin), *by_early],
        [*_earlier_vintages(earlier, earlier.bad, begin), *by_full],
    )


def _earlier_vintages(earlier: EarlierLoans, outcome: Codes | None, begin: str) -> list[Loans]:
    """Return earlier loans month by month, for the months before the score log begins."""
    assert earlier.period is not None
    if outcome is None:
        return []
    rows = {str(one): (earlier.period == one) & (outcome != UNLABELLED) for one in np.unique(earlier.period)}
    return [
        Loans(period, outcome[is_in], earlier.probability[is_in], np.full(int(is_in.sum()), ""))
        for period, is_in in rows.items()
        if period < begin
    ]


@dataclass(frozen=True)
class ExpectedPerformance:
    """The recalibration of PDs to a definition of bad, from earlier vintages, and how their levels vary around it.

    `between` is the variance of their levels from the recalibrated PDs, in log-odds squared.
    """

    recalibration: Recalibration
    between: float
    periods: tuple[str, ...]

    @property
    def source(self) -> str:
        """The vintages that the expectation comes from, in words."""
        first, last = self.periods[0], self.periods[-1]
        return first + (f" to {last}" if last != first else "")


def expected_before(
    period: str, vintages: Sequence[Loans], settings: PerformanceSettings
) -> ExpectedPerformance | None:
    """Return the expectation for a vintage, None where no earlier one has enough outcomes.

    It is fitted on the oldest `yardstick_vintages` vintages before it, so that a change does not become its own
    expectation. The variance of levels uses all vintages before it: several years vary more than one.
    """
    earlier = sorted((one for one in vintages if one.period < period and len(one.bad)), key=lambda one: one.period)
    chosen = earlier[: settings.yardstick_vintages]
    if not chosen:
        return None
    bad, probability = (np.concatenate([getattr(one, name) for one in chosen]) for name in ("bad", "probability"))
    if not enough(bad, settings) or probability.min() == probability.max():
        return None
    recalibration = recalibrate(bad, probability)
    between = variance_from_expected([level_shift(one.bad, one.probability, recalibration) for one in earlier])
    return ExpectedPerformance(recalibration, between, tuple(one.period for one in chosen))


def level_between(period: str, vintages: Sequence[Loans], recalibration: Recalibration | None) -> float:
    """Return the variance of level between the vintages before a period, in log-odds squared."""
    earlier = [one for one in vintages if one.period < period and len(one.bad)]
    return variance_between([level_shift(one.bad, one.probability, recalibration) for one in earlier])
