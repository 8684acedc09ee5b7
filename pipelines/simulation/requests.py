"""Which baskets customers want to pay in instalments: the applications, before anybody decides on them."""

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.baskets import Baskets
from pipelines.simulation.draws import Draws, Flags, Floats, Ints, logistic
from pipelines.simulation.period import MINUTE, month_start
from pipelines.simulation.shoppers import Shoppers
from pipelines.simulation.visits import Visits
from pipelines.simulation.world import World

MONTHS_WITHOUT_LOANS = 3
"""Instalments are offered from the fourth month on."""

SMALLEST_PRINCIPAL = 2_000
MONTHLY_INCOME = 300_000
"""Of a customer of income 0 (log), minor units."""

TERMS = np.array([3, 6, 12, 24])
TERM_LIMITS = np.array([0.025, 0.08, 0.25])
"""Shares of the monthly income up to which the shorter terms are chosen."""


@dataclass(frozen=True)
class Requests:
    """k applications, sorted by customer and time; `order` is the place of the order to be financed.

    `income` (log) is the customer's at the application; amounts are in minor units, times in seconds.
    """

    order: Ints
    owner: Ints
    applied_at: Ints
    principal: Ints
    term: Ints
    income: Floats

    def __len__(self) -> int:
        return len(self.order)


def draw_requests(world: World, shoppers: Shoppers, visits: Visits, baskets: Baskets, draws: Draws) -> Requests:
    """Return who applies: rather for dear baskets, with little income or prudence; moments before the order."""
    order = np.flatnonzero(_is_financed(world, shoppers, visits, baskets, draws))
    owner, principal = visits.owner[order], baskets.amount[order]
    before = draws.within("applied_before", 20, 15 * MINUTE, len(order))
    applied_at = np.maximum(visits.at[order] - before, shoppers.registered_at[owner] + 1)
    drop = np.where(applied_at >= shoppers.shock_at[owner], shoppers.shock_drop[owner], 0.0)
    income = shoppers.income[owner] - drop
    wish = np.exp(0.5 * draws.normal("term", len(order))) * principal / (MONTHLY_INCOME * np.exp(income))
    return Requests(order, owner, applied_at, principal, TERMS[np.searchsorted(TERM_LIMITS, wish)], income)


def _is_financed(world: World, shoppers: Shoppers, visits: Visits, baskets: Baskets, draws: Draws) -> Flags:
    owner = visits.owner
    habit = -0.5 * shoppers.income - 0.3 * shoppers.prudence - 4.0 * shoppers.is_reseller
    wish = -2.7 + 0.9 * np.log(baskets.amount / 4_000) + habit[owner]
    financed = draws.uniform("is_financed", len(visits)) < logistic(wish)
    financed[visits.financed_by_ring] = True
    opened_at = month_start(world.period.first + min(MONTHS_WITHOUT_LOANS, world.period.months))
    return np.asarray(financed & (visits.at - 15 * MINUTE >= opened_at) & (baskets.amount >= SMALLEST_PRINCIPAL))
