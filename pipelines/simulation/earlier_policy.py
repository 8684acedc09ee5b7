"""The policy that decided at the time: a rough score of what a lender saw, a cut-off, and a slice approved by lot."""

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.baskets import CASH_ON_DELIVERY, Baskets
from pipelines.simulation.draws import Draws, Flags, Floats, Ints
from pipelines.simulation.period import DAY, HOUR
from pipelines.simulation.requests import Requests
from pipelines.simulation.shoppers import Shoppers
from pipelines.simulation.visits import Visits, places
from pipelines.simulation.world import World

CUT_OFF, POINTS_PER_UNIT = 600.0, 50.0
NOISE = 0.6
PRIOR_ORDERS = 4.0
"""With so many usual orders a short history is filled up, so that one order at night is no habit yet."""

RECENT = 180 * DAY
LOWEST_PRICE, HIGHEST_PRICE = 0.06, 0.32


@dataclass(frozen=True)
class Decisions:
    """What was decided on k applications; `price` is the annual rate that was offered."""

    score: Floats
    is_approved: Flags
    is_random_approval: Flags
    price: Floats


def decide(
    world: World, shoppers: Shoppers, visits: Visits, baskets: Baskets, requests: Requests, draws: Draws
) -> Decisions:
    """Return what the policy of that time decided; it sees what a lender could have seen, and not very clearly."""
    evidence = _seen(world, shoppers, visits, baskets, requests)
    score = np.round(CUT_OFF + POINTS_PER_UNIT * (evidence + NOISE * draws.normal("policy", len(requests))), 1)
    is_good = score >= CUT_OFF
    by_lot = ~is_good & (draws.uniform("lot", len(requests)) < world.random_approval_share)
    share = 1 / (1 + np.exp((score - CUT_OFF) / 60.0))
    price = np.round(LOWEST_PRICE + (HIGHEST_PRICE - LOWEST_PRICE) * share, 3)
    return Decisions(score, is_good | by_lot, by_lot, price)


def _seen(world: World, shoppers: Shoppers, visits: Visits, baskets: Baskets, requests: Requests) -> Floats:
    """Return the score's log-odds-like sum over what lay before each application."""
    begin = places(visits, world, requests.owner, np.full(len(requests), world.period.starts_at))
    end = places(visits, world, requests.owner, requests.applied_at)
    recent = end - places(visits, world, requests.owner, requests.applied_at - RECENT)
    past = _Past(begin, end)
    usual = past.mean(np.log(baskets.amount), prior=8.2)
    nights = past.mean(visits.at % DAY < 6 * HOUR, prior=0.08)
    cash = past.mean(baskets.payment_method == CASH_ON_DELIVERY, prior=0.15)
    bargains = past.mean(baskets.discount > 0, prior=0.18)
    tenure = (requests.applied_at - shoppers.registered_at[requests.owner]) / (365 * DAY)
    return np.asarray(
        0.35
        + 0.5 * (usual - 8.2)
        - 3.0 * (nights - 0.08)
        - 2.5 * (cash - 0.15)
        - 1.0 * (bargains - 0.18)
        + 0.25 * np.minimum(tenure - 1.0, 2.0)
        + 0.2 * (np.log1p(recent) - 1.5)
        - 0.3 * (np.log(requests.principal) - usual - 1.0)
    )


@dataclass(frozen=True)
class _Past:
    """The orders before each application: places from `begin` to before `end`."""

    begin: Ints
    end: Ints

    def mean(self, values: Ints | Floats | Flags, prior: float) -> Floats:
        """Return the mean of a value over them, filled up with the usual one."""
        upto = np.concatenate([[0.0], np.cumsum(values, dtype=float)])
        total = upto[self.end] - upto[self.begin]
        return np.asarray((total + PRIOR_ORDERS * prior) / (self.end - self.begin + PRIOR_ORDERS))
