"""What becomes of an application once it is decided: disbursed or not taken up, refunded, or fraud."""

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.baskets import Baskets
from pipelines.simulation.draws import Draws, Flags, Ints
from pipelines.simulation.earlier_policy import Decisions
from pipelines.simulation.period import DAY, HOUR, MINUTE, NEVER
from pipelines.simulation.requests import Requests
from pipelines.simulation.visits import Visits
from pipelines.simulation.world import World

NOT_TAKEN_UP, FRAUD = 0.02, 0.003
FRAUD_CONFIRMED = (20 * DAY, 80 * DAY)
"""After the disbursement: before the shortest performance window closes."""


@dataclass(frozen=True)
class Loans:
    """k applications; moments in seconds, NEVER where it does not happen.

    `starts_at` is when months on book start: the disbursement, or the application where there was none.
    """

    disbursed_at: Ints
    refunded_at: Ints
    fraud_confirmed_at: Ints
    starts_at: Ints
    is_fraud: Flags

    @property
    def is_disbursed(self) -> Flags:
        """Which applications became loans."""
        return self.disbursed_at < NEVER


def draw_loans(
    world: World, visits: Visits, baskets: Baskets, requests: Requests, decisions: Decisions, draws: Draws
) -> Loans:
    """Return which applications became loans, and which of those were refunded or turned out fraud, as now known."""
    size, as_of = len(requests), world.period.ends_at
    ordered_at, undone_at = visits.at[requests.order], _undone_at(baskets, requests)
    wait = 10 * MINUTE + np.minimum(HOUR * draws.stream("wait").lognormal(0.5, 1.5, size), 5 * DAY).astype(np.int64)
    disbursed = ordered_at + wait
    is_taken = decisions.is_approved & (draws.uniform("not_taken_up", size) >= NOT_TAKEN_UP)
    is_taken &= (baskets.cancelled_at[requests.order] > disbursed) & (disbursed <= as_of)
    disbursed = np.where(is_taken, disbursed, NEVER)
    is_undone = is_taken & (undone_at < NEVER)
    refunded = np.where(is_undone, np.maximum(undone_at, disbursed + HOUR), NEVER)
    is_fraud = is_taken & ~is_undone & (draws.uniform("is_fraud", size) < FRAUD)
    confirmed = np.where(is_fraud, disbursed + draws.within("fraud_confirmed", *FRAUD_CONFIRMED, size), NEVER)
    starts = np.where(is_taken, disbursed, requests.applied_at)
    return Loans(disbursed, _until(as_of, refunded), _until(as_of, confirmed), starts, is_fraud)


def _undone_at(baskets: Baskets, requests: Requests) -> Ints:
    return np.minimum(baskets.returned_at[requests.order], baskets.cancelled_at[requests.order])


def _until(as_of: int, at: Ints) -> Ints:
    return np.where(at <= as_of, at, NEVER)
