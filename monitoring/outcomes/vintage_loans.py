"""The loans of vintages with a known outcome, row by row and as counts by PD."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.outcomes.decisions import Decisions
from monitoring.outcomes.earlier_loans import EarlierLoans
from pipelines.credit.loan import UNLABELLED
from pipelines.credit.tally import Tally, tally

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

MOST_PDS = 500
"""Neighbouring PDs of a vintage are counted together so that about so many are left."""


@dataclass(frozen=True)
class VintageCounts:
    """Good and bad loans of a vintage by PD. `scored_by` names the model version whose PDs they are."""

    period: str
    counts: Tally
    scored_by: str = ""

    @property
    def bad(self) -> int:
        """The number of bad loans."""
        return round(float(self.counts.bad.sum()))

    @property
    def loans(self) -> int:
        """The number of loans."""
        return round(float(self.counts.rows.sum()))


@dataclass(frozen=True)
class Loans:
    """Loans of a vintage with a known outcome by some definition, each array of shape (n,)."""

    period: str
    bad: Codes
    probability: Floats
    band: NDArray[np.str_]
    scored_by: str = ""

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
        return cls(
            decisions.period, outcome[rows], decisions.probability[rows], decisions.band[rows], decisions.scored_by
        )

    @property
    def counted(self) -> VintageCounts:
        """The loans as counts."""
        return VintageCounts(self.period, tally(self.bad, self.probability).merged(MOST_PDS), self.scored_by)


def vintages_of(
    decisions: Sequence[Decisions],
    codes: Sequence[Codes],
    earlier: EarlierLoans | None,
    of_earlier: Codes | None,
    own: str = "",
) -> list[Loans]:
    """Return the loans with an outcome of decisions by period, and earlier loans in the months before them.

    Earlier loans, which the version `own` scored, also stand for the months that another version decided, so that the
    PDs of one version are compared where there are some.

    Args:
        decisions: by period.
        codes: outcomes of the decisions of each period.
        earlier: loans that the model was not fitted on.
        of_earlier: their outcomes.
        own: the version that scored them.
    """
    decided = {one.period: Loans.of(one, outcome) for one, outcome in zip(decisions, codes, strict=True)}
    if not decided or earlier is None or earlier.period is None or of_earlier is None:
        return [*decided.values()]
    first = min(decided)
    others = {period for period, one in decided.items() if own and one.scored_by not in (own, "")}
    rescored = {
        one.period: one
        for one in _earlier_vintages(earlier, earlier.period, of_earlier, own or decided[first].scored_by)
        if one.period < first or (one.period in others and len(one.bad))
    }
    return [*(decided | rescored).values()]


def _earlier_vintages(
    earlier: EarlierLoans, period: NDArray[np.str_], outcome: Codes, scored_by: str
) -> Iterator[Loans]:
    """Yield earlier loans month by month."""
    for month in np.unique(period):
        rows = (period == month) & (outcome != UNLABELLED)
        no_bands = np.full(int(rows.sum()), "")
        yield Loans(str(month), outcome[rows], earlier.probability[rows], no_bands, scored_by)
