"""Signs that the outcomes of a flat table are not mature: their bad rate falls with recency, and the PDs do not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitoring.outcomes.vintage_loans import Loans
from pipelines.applications.maturity import FALL, falling_bad_rate


@dataclass(frozen=True)
class Immaturity:
    """A fall of the bad rate in the vintages from `since` on, by the outcomes of a definition."""

    definition: str
    since: str
    before: float
    now: float

    def __str__(self) -> str:
        return (
            f"possible immaturity: the bad rate by {self.definition} falls from {self.before:.1%} to {self.now:.1%} in "
            f"the applications since {self.since}, and their PDs do not"
        )


def possible_immaturity(definition: str, vintages: Sequence[Loans]) -> Immaturity | None:
    """Return by how much the bad rate of the latest vintages is lower, None where it is not or PDs explain it."""
    if not sum(len(one.bad) for one in vintages):
        return None
    bad, probability = (np.concatenate([getattr(one, name) for one in vintages]) for name in ("bad", "probability"))
    periods = np.concatenate([np.full(len(one.bad), one.period, "datetime64[M]") for one in vintages])
    fall = falling_bad_rate(periods, bad)
    if fall is None:
        return None
    is_late = periods >= fall.since
    expected_fall = probability[is_late].mean() / probability[~is_late].mean()
    if fall.now / fall.before > FALL * expected_fall:
        return None
    return Immaturity(definition, str(fall.since), fall.before, fall.now)
