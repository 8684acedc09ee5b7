"""What customers order and how: categories, amounts, discounts, channels, payment methods, returns, late records."""

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.draws import Draws, Floats, Ints, logistic
from pipelines.simulation.period import DAY, HOUR, MINUTE, NEVER
from pipelines.simulation.shoppers import Shoppers
from pipelines.simulation.visits import Visits
from pipelines.simulation.world import World

CATEGORIES = {
    # name: how often, typical amount (minor units), pull of income, pull of prudence. The amounts are fitted: order
    # values spread as widely as those of real logs (tests/evidence/purchase_logs/realism.py).
    "groceries": (2.6, 3_500, -0.1, 0.15),
    "fashion": (1.9, 4_700, 0.0, -0.2),
    "electronics": (1.2, 11_000, 0.1, -0.15),
    "beauty": (1.0, 2_600, 0.0, -0.1),
    "home": (1.1, 6_000, 0.2, 0.15),
    "toys": (0.6, 2_900, 0.0, 0.0),
    "sports": (0.6, 5_500, 0.25, 0.1),
    "books": (0.8, 1_900, 0.15, 0.35),
    "health": (0.8, 2_700, 0.0, 0.3),
    "baby": (0.5, 3_300, 0.0, 0.1),
    "garden": (0.4, 5_000, 0.15, 0.25),
    "travel": (0.3, 14_000, 0.5, 0.0),
}
FASHION, ELECTRONICS = list(CATEGORIES).index("fashion"), list(CATEGORIES).index("electronics")
CHANNELS = ("app", "web", "store", "live")
APP, WEB, STORE, LIVE = range(4)
"""Live shopping is the new channel of the scenario mix_shift."""

PAYMENT_METHODS = ("card", "wallet", "bank_transfer", "cash_on_delivery", "instalments")
CARD, WALLET, BANK_TRANSFER, CASH_ON_DELIVERY, INSTALMENTS = range(5)
UNKNOWN = -1
AMOUNT_SPREAD, INCOME_ELASTICITY = 0.75, 0.45
SMALLEST_AMOUNT, LARGEST_AMOUNT = 100, 50_000_000
LATE_SHARE, LATE_HOURS = 0.005, 30.0
LIVE_SHARE, LIVE_SHARE_OF_NEWCOMERS = 0.1, 0.7
RING_AMOUNT = 60_000


@dataclass(frozen=True)
class Baskets:
    """The columns of m orders, in the order of their visits; places in the lists of names, amounts in minor units.

    What did not happen has the moment NEVER.
    """

    category: Ints
    amount: Ints
    discount: Ints
    channel: Ints
    payment_method: Ints
    returned_at: Ints
    cancelled_at: Ints
    available_at: Ints


def draw_baskets(world: World, shoppers: Shoppers, visits: Visits, draws: Draws) -> Baskets:
    """Return what was ordered at each visit."""
    category = _category(shoppers, visits, draws)
    category[visits.financed_by_ring] = ELECTRONICS
    amount, discount = _amounts(shoppers, visits, category, draws)
    amount[visits.financed_by_ring] = RING_AMOUNT + (amount[visits.financed_by_ring] // 4)
    cancelled_at = _cancelled_at(visits, draws)
    return Baskets(
        category=category,
        amount=amount,
        discount=discount,
        channel=_channel(world, shoppers, visits, draws),
        payment_method=_payment_method(shoppers, visits, draws),
        returned_at=np.where(cancelled_at < NEVER, NEVER, _returned_at(shoppers, visits, category, draws)),
        cancelled_at=cancelled_at,
        available_at=_available_at(visits, draws),
    )


def _category(shoppers: Shoppers, visits: Visits, draws: Draws) -> Ints:
    often, _, by_income, by_prudence = (np.array(column) for column in zip(*CATEGORIES.values(), strict=True))
    taste = 0.7 * draws.stream("category_taste").standard_normal((len(shoppers), len(CATEGORIES)))
    pull = np.outer(shoppers.income, by_income) + np.outer(shoppers.prudence, by_prudence)
    chance = often * np.exp(taste + pull)
    upto = np.cumsum(chance / chance.sum(axis=1, keepdims=True), axis=1)
    choice = draws.uniform("category", len(visits))
    category = np.zeros(len(visits), dtype=np.int64)
    for place in range(len(CATEGORIES) - 1):
        category += choice > upto[visits.owner, place]
    return category


def _amounts(shoppers: Shoppers, visits: Visits, category: Ints, draws: Draws) -> tuple[Ints, Ints]:
    """Return what was paid, and the discount that it was paid after."""
    owner = visits.owner
    typical = np.log([typical for _, typical, _, _ in CATEGORIES.values()])
    noise = AMOUNT_SPREAD * draws.normal("amount", len(visits))
    full = np.exp(typical[category] + INCOME_ELASTICITY * _income(shoppers, visits) + shoppers.taste[owner] + noise)
    rate = 0.05 * draws.within("discount", 1, 11, len(visits))
    chance = logistic(-1.6 - 0.45 * shoppers.prudence)[owner]
    discount = np.where(draws.uniform("is_discounted", len(visits)) < chance, rate * full, 0.0).astype(np.int64)
    amount = np.clip(full.astype(np.int64) - discount, SMALLEST_AMOUNT, LARGEST_AMOUNT)
    return amount, discount


def _income(shoppers: Shoppers, visits: Visits) -> Floats:
    """Return the income (log) at the moment of each order."""
    owner = visits.owner
    drop = np.where(visits.at >= shoppers.shock_at[owner], shoppers.shock_drop[owner], 0.0)
    return np.asarray(shoppers.income[owner] - drop)


def _channel(world: World, shoppers: Shoppers, visits: Visits, draws: Draws) -> Ints:
    age = shoppers.years_from_usual_age(world.period) / 12  # in about standard deviations
    to_app, to_store = logistic(0.6 - 0.6 * age), logistic(-1.8 + 0.4 * age)
    choice = draws.uniform("channel", len(visits))
    owner = visits.owner
    channel = np.where(choice < to_store[owner], STORE, WEB)
    channel[draws.uniform("by_app", len(visits)) < to_app[owner]] = APP
    if world.mix_shift.size:
        chance = np.where(shoppers.is_newcomer, LIVE_SHARE_OF_NEWCOMERS, LIVE_SHARE)[owner]
        is_live = (draws.uniform("live", len(visits)) < chance) & (visits.at >= world.mix_shift.starts_at)
        channel[is_live] = LIVE
    return channel


def _payment_method(shoppers: Shoppers, visits: Visits, draws: Draws) -> Ints:
    owner = visits.owner
    cash = logistic(-2.0 - 0.8 * shoppers.prudence - 0.5 * shoppers.income)
    choice = draws.uniform("payment_method", len(visits))
    rest = (choice - cash[owner]) / (1 - cash[owner])
    method = np.where(rest < 0.5, CARD, np.where(rest < 0.85, WALLET, BANK_TRANSFER))
    return np.where(rest < 0, CASH_ON_DELIVERY, method)


def _returned_at(shoppers: Shoppers, visits: Visits, category: Ints, draws: Draws) -> Ints:
    size = len(visits)
    chance = logistic(-3.2 - 0.5 * shoppers.prudence[visits.owner] + 1.0 * (category == FASHION))
    # Always before the first instalment of a loan that finances the order.
    after = (2 + 22 * draws.uniform("returned_after", size)) * DAY
    return np.where(draws.uniform("is_returned", size) < chance, visits.at + after.astype(np.int64), NEVER)


def _cancelled_at(visits: Visits, draws: Draws) -> Ints:
    after = draws.within("cancelled_after", 5 * MINUTE, 2 * DAY, len(visits))
    return np.where(draws.uniform("is_cancelled", len(visits)) < 0.015, visits.at + after, NEVER)


def _available_at(visits: Visits, draws: Draws) -> Ints:
    """Return when records reached the lake that were late: hours to days, NEVER for those that were not."""
    size = len(visits)
    late = HOUR * (1 + LATE_HOURS * -np.log1p(-draws.uniform("late", size)))
    return np.where(draws.uniform("is_late", size) < LATE_SHARE, visits.at + late.astype(np.int64), NEVER)
