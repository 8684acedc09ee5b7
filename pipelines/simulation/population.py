"""The customers of a part, and behind them those whom scenarios add: younger newcomers, and the members of fraud rings.

They are added and replace nobody, so that a scenario leaves everyone else as they were.
"""

from dataclasses import fields, replace

import numpy as np

from pipelines.simulation.draws import Draws
from pipelines.simulation.period import DAY, NEVER
from pipelines.simulation.shoppers import (
    INCOME_PER_YEAR,
    PRUDENCE_PER_YEAR,
    Shoppers,
    draw_plain,
    purchase_weight,
    with_rates,
    year_of,
)
from pipelines.simulation.world import Newcomers, World

ADULT, YOUNGER_BY = 18, 0.35
"""Newcomers' years beyond 18 are fewer by this share."""

NEWCOMERS_RATE, NEWCOMERS_PRUDENCE = 2.0, -0.3
"""They order so many times as much, and are less prudent, beyond what their age says."""

RING_MEMBERS, RING_ORDERS, RING_PRUDENCE = 20, 6.0, 1.5
"""Until they strike, fraudsters order like the best of customers."""


def draw_shoppers(world: World, part: int, first: int, size: int, added: tuple[int, int]) -> Shoppers:
    """Return the customers of a part: `size` with numbers from `first` on, and behind them those of scenarios.

    `added` are the numbers from which newcomers and fraudsters of this part count.
    """
    draws = Draws(world.seed, part)
    base, rate = with_rates(draw_plain(world, draws, first, size), world, draws)
    groups = [base]
    if world.mix_shift.size:
        groups.append(_newcomers(world, part, added[0], newcomers_of(world.mix_shift, size), rate))
    if world.fraud_ring.size:
        groups.append(_fraudsters(world, part, added[1], newcomers_of(world.fraud_ring, size)))
    columns = {one.name: np.concatenate([getattr(group, one.name) for group in groups]) for one in fields(Shoppers)}
    return Shoppers(**columns)


def newcomers_of(newcomers: Newcomers, customers: int) -> int:
    """Return how many customers a scenario adds to so many."""
    return round(newcomers.size * customers)


def _newcomers(world: World, part: int, first: int, size: int, rate: float) -> Shoppers:
    draws = Draws(world.seed, part, "mix_shift")
    drawn = draw_plain(world, draws, first, size)
    joined = world.mix_shift.starts_at + draws.uniform("joined", size) * (
        world.period.ends_at - DAY - world.mix_shift.starts_at
    )
    age = year_of(world.period) - drawn.birth_year
    years = ((age - ADULT) * YOUNGER_BY).astype(np.int64)
    shoppers = replace(
        drawn,
        registered_at=joined.astype(np.int64),
        birth_year=drawn.birth_year + years,
        prudence=drawn.prudence - PRUDENCE_PER_YEAR * years + NEWCOMERS_PRUDENCE,
        income=drawn.income - INCOME_PER_YEAR * years,
        first_day=joined.astype(np.int64) // DAY + 1,
        last_day=np.full(size, world.period.ends_at // DAY),
        is_newcomer=np.ones(size, dtype=bool),
    )
    return replace(shoppers, expected=NEWCOMERS_RATE * rate * purchase_weight(world, shoppers, draws))


def _fraudsters(world: World, part: int, first: int, size: int) -> Shoppers:
    """Return the members of fraud rings: they join within weeks, order a little and apply within hours."""
    draws = Draws(world.seed, part, "fraud_ring")
    ring = np.arange(size) // RING_MEMBERS
    begin, end = world.fraud_ring.starts_at + 21 * DAY, world.period.ends_at - 2 * DAY
    strike = begin + (np.maximum(end - begin, DAY) * draws.uniform("strike", size)[ring]).astype(np.int64)
    applies = np.minimum(strike + draws.within("hours", 0, DAY // 4, size), world.period.ends_at - DAY)
    registered = applies - draws.within("joined", 10 * DAY, 20 * DAY, size)
    return replace(
        draw_plain(world, draws, first, size),
        registered_at=registered,
        prudence=np.full(size, RING_PRUDENCE),
        shock_at=np.full(size, NEVER),
        first_day=registered // DAY + 1,
        last_day=applies // DAY,
        expected=np.full(size, RING_ORDERS),
        applies_at=applies,
    )
