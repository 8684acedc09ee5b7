"""When customers order: seasons and habits, the fall after an income shock, and orders that follow another closely."""

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.demand import clock
from pipelines.simulation.draws import Draws, Flags, Floats, Ints, logistic
from pipelines.simulation.period import DAY, HOUR, NEVER, day_of_month
from pipelines.simulation.shoppers import ORDERS_AFTER_SHOCK, Shoppers, exposure
from pipelines.simulation.world import World

FOLLOWING_SHARE, SAME_DAY_SHARE = 0.22, 0.45
SAME_DAY_GAP, DAYS_GAP = 1.5 * HOUR, 2.5 * DAY
"""Means of the gaps, seconds."""

PAYDAY, PAYDAY_SPREAD = 25, 5
"""Wages arrive on the 25th; who cannot wait orders within days of it."""

OWNER_BITS = 32
"""Of a key, the lower bits: seconds since the period began. Sorting keys sorts by customer, then by time."""


@dataclass(frozen=True)
class Visits:
    """m orders sorted by customer and time: the customer's place in its part, and the moment (seconds)."""

    owner: Ints
    at: Ints
    financed_by_ring: Ints
    """Places of the orders that fraud rings let a loan finance."""

    def __len__(self) -> int:
        return len(self.owner)


def draw_visits(world: World, shoppers: Shoppers, draws: Draws) -> Visits:
    """Return all orders of a part's customers."""
    counts = draws.stream("orders").poisson(shoppers.expected)
    owner = np.repeat(np.arange(len(shoppers)), counts)
    day = _paydays(shoppers, owner, _days(world, shoppers, counts, owner, draws), draws)
    at = day * DAY + clock(_is_night(shoppers, owner, draws), draws)
    owner, at = _split(world, np.sort(_key(world, owner, at)))
    at = _with_bursts(shoppers, owner, at, draws)
    forced = np.flatnonzero(shoppers.is_fraudster)
    forced_keys = _key(world, forced, shoppers.applies_at[forced])
    keys = np.sort(np.concatenate([_key(world, owner, at), forced_keys]))
    return Visits(*_split(world, keys), np.searchsorted(keys, forced_keys))


def places(visits: Visits, world: World, owner: Ints, at: Ints) -> Ints:
    """Return how many orders of the part lie before each customer's moment, in the order of `visits`."""
    keys = _key(world, visits.owner, visits.at)
    return np.searchsorted(keys, _key(world, owner, np.maximum(at, world.period.starts_at)))


def _key(world: World, owner: Ints, at: Ints) -> Ints:
    return (owner << OWNER_BITS) + (at - world.period.starts_at)


def _split(world: World, keys: Ints) -> tuple[Ints, Ints]:
    return keys >> OWNER_BITS, (keys & (2**OWNER_BITS - 1)) + world.period.starts_at


def _days(world: World, shoppers: Shoppers, counts: Ints, owner: Ints, draws: Draws) -> Ints:
    """Return the day of each order: even in the weight of days, and thinner after the shock."""
    begin, before, after = exposure(world, shoppers)
    weight = _shares(shoppers, counts, owner, draws) * (before + ORDERS_AFTER_SHOCK * after)[owner]
    beyond = np.maximum(weight - before[owner], 0.0)
    reached = begin[owner] + weight + beyond * (1.0 / ORDERS_AFTER_SHOCK - 1.0)
    day = np.searchsorted(world.demand, reached, side="right") - 1 + world.period.starts_at // DAY
    return np.clip(day, shoppers.first_day[owner], shoppers.last_day[owner] - 1)


def _shares(shoppers: Shoppers, counts: Ints, owner: Ints, draws: Draws) -> Floats:
    """Return how far into a customer's time each order falls: anywhere, or by turns for regular customers."""
    share = draws.uniform("when", len(owner))
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.where(shoppers.is_regular[owner], (rank + share) / counts[owner], share)


def _paydays(shoppers: Shoppers, owner: Ints, day: Ints, draws: Draws) -> Ints:
    """Return days of which some are moved to those after payday, more often for the less prudent."""
    chance = logistic(-2.0 - 0.7 * shoppers.prudence)[owner]
    later = draws.within("payday", 0, PAYDAY_SPREAD, len(owner))
    moved = day - day_of_month(day) + PAYDAY + later
    is_active = (moved >= shoppers.first_day[owner]) & (moved < shoppers.last_day[owner])
    return np.where((draws.uniform("is_payday", len(owner)) < chance) & is_active, moved, day)


def _is_night(shoppers: Shoppers, owner: Ints, draws: Draws) -> Flags:
    chance = logistic(-2.7 - 0.8 * shoppers.prudence)
    return np.asarray(draws.uniform("is_night", len(owner)) < chance[owner])


def _with_bursts(shoppers: Shoppers, owner: Ints, at: Ints, draws: Draws) -> Ints:
    """Return moments of which some follow the customer's order before within hours or days."""
    size = len(owner)
    previous = np.concatenate([[NEVER], at[:-1]])[:size]
    is_same = np.concatenate([[False], owner[1:] == owner[:-1]])[:size]
    mean = np.where(draws.uniform("same_day", size) < SAME_DAY_SHARE, SAME_DAY_GAP, DAYS_GAP)
    moved = previous + 1 + (mean * -np.log1p(-draws.uniform("gap", size))).astype(np.int64)
    follows = is_same & (draws.uniform("follows", size) < FOLLOWING_SHARE) & (moved < shoppers.last_day[owner] * DAY)
    return np.where(follows, moved, at)
