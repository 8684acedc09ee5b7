"""The customers of a part: what nobody sees of them (income, prudence, shocks), and how much and how long they buy."""

from dataclasses import dataclass, replace

import numpy as np

from pipelines.simulation.draws import Draws, Flags, Floats, Ints, logistic
from pipelines.simulation.period import DAY, NEVER, Period
from pipelines.simulation.world import World

USUAL_AGE = 38
INCOME_SPREAD, INCOME_BY_PRUDENCE = 0.6, 0.1
PRUDENCE_PER_YEAR, INCOME_PER_YEAR = 0.016, 0.006
PRUDENCE_BY_SEX, INCOME_BY_SEX = 0.1, -0.05
"""Age and sex say a little about the latents, women's in comparison with men's: what a fairness measure has to find."""

SHOCKED_SHARE, ORDERS_AFTER_SHOCK = 0.15, 0.55
RESELLER_SHARE, RESELLER_TIMES, RESELLER_TAIL = 0.0023, 110.0, 2.5
"""Resellers hold at least so many times the mean number of orders, with a Pareto tail."""

LARGEST_TIMES = 1_000.0
ORDINARY_SHARE = 0.77
"""Of all orders, those that are not resellers' in the mean."""

LEAST_EXPOSURE = 0.25
"""Of the period, in which a reseller must be active."""

REGISTERED_BEFORE, YEARS_BEFORE = 0.45, 3
STAYING_SHARE, LIFETIME_DAYS = 0.35, 800
RATE_SPREAD = 1.0


@dataclass(frozen=True)
class Shoppers:
    """n customers; all arrays have shape (n,), times are seconds.

    `income` (log, about 0) and `prudence` (standard normal) never reach the tables. Orders fall on whole days from
    `first_day` to before `last_day` (since 1970-01-01). `expected` is the mean number of orders.
    """

    customer_id: Ints
    registered_at: Ints
    birth_year: Ints
    is_female: Flags
    income: Floats
    prudence: Floats
    shock_at: Ints
    shock_drop: Floats
    taste: Floats
    first_day: Ints
    last_day: Ints
    expected: Floats
    is_regular: Flags
    is_reseller: Flags
    is_newcomer: Flags
    applies_at: Ints
    """When the ring strikes that a fraudster belongs to."""

    @property
    def is_fraudster(self) -> Flags:
        """Who joined to take a loan and pay nothing."""
        return self.applies_at < NEVER

    def years_from_usual_age(self, period: Period) -> Ints:
        """Return by how many years customers are older than usual when the period begins."""
        return year_of(period) - USUAL_AGE - self.birth_year

    def __len__(self) -> int:
        return len(self.customer_id)


def exposure(world: World, shoppers: Shoppers) -> tuple[Floats, Floats, Floats]:
    """Return where the weight of days begins for each customer, and how much lies before and after the income shock."""
    origin = world.period.starts_at // DAY
    first, last = shoppers.first_day - origin, np.maximum(shoppers.last_day, shoppers.first_day) - origin
    shock = np.clip(shoppers.shock_at // DAY - origin, first, last)
    begin = world.demand[first]
    return begin, world.demand[shock] - begin, world.demand[last] - world.demand[shock]


def purchase_weight(world: World, shoppers: Shoppers, draws: Draws) -> Floats:
    """Return how much each customer buys in its time, up to a factor that all share."""
    _, before, after = exposure(world, shoppers)
    spread = np.exp(RATE_SPREAD * draws.normal("rate", len(shoppers)))
    return np.asarray(spread * (before + ORDERS_AFTER_SHOCK * after))


def draw_plain(world: World, draws: Draws, first: int, size: int) -> Shoppers:
    """Return customers numbered from `first` on, but for how much they order."""
    period = world.period
    age = 18 + 52 * draws.stream("age").beta(1.6, 2.6, size)
    is_female = draws.uniform("sex", size) < 0.52
    years, side = age - USUAL_AGE, np.where(is_female, 0.5, -0.5)
    prudence = 0.97 * draws.normal("prudence", size) + PRUDENCE_PER_YEAR * years + PRUDENCE_BY_SEX * side
    income = INCOME_SPREAD * draws.normal("income", size) + INCOME_BY_PRUDENCE * prudence
    income += INCOME_PER_YEAR * years + INCOME_BY_SEX * side
    registered = _registered(period, draws, size)
    lifetime = (draws.stream("lifetime").exponential(LIFETIME_DAYS * DAY, size)).astype(np.int64)
    ends = registered + np.where(draws.uniform("stays", size) < STAYING_SHARE, NEVER, lifetime)
    shock_at = _shock_at(period, draws, size)
    return Shoppers(
        customer_id=np.arange(first, first + size),
        registered_at=registered,
        birth_year=np.asarray(year_of(period) - age).astype(np.int64),
        is_female=is_female,
        income=income,
        prudence=prudence,
        shock_at=shock_at,
        shock_drop=0.25 + 0.5 * draws.uniform("shock_drop", size),
        taste=0.3 * draws.normal("taste", size),
        first_day=np.maximum(registered, period.starts_at - 1) // DAY + 1,
        last_day=np.minimum(ends, period.ends_at) // DAY,
        expected=np.zeros(size),
        is_regular=draws.uniform("regular", size) < logistic(-0.6 + 0.9 * prudence),
        is_reseller=np.zeros(size, dtype=bool),
        is_newcomer=np.zeros(size, dtype=bool),
        applies_at=np.full(size, NEVER),
    )


def year_of(period: Period) -> int:
    """Return the year in which a period begins."""
    return 1970 + period.first // 12


def _registered(period: Period, draws: Draws, size: int) -> Ints:
    """Return when customers registered: some in the years before the period, the others in its course."""
    before = period.starts_at - YEARS_BEFORE * 365 * DAY * draws.uniform("before", size)
    # Whoever registers on the last day can never order, and every customer of a lake has been seen in it.
    within = period.starts_at + (period.ends_at - DAY - period.starts_at) * draws.uniform("within", size)
    at = np.where(draws.uniform("is_before", size) < REGISTERED_BEFORE, before, within)
    return np.asarray(at).astype(np.int64)


def _shock_at(period: Period, draws: Draws, size: int) -> Ints:
    at = period.starts_at + (period.ends_at - period.starts_at) * (1.3 * draws.uniform("shock_at", size) - 0.15)
    return np.where(draws.uniform("is_shocked", size) < SHOCKED_SHARE, at.astype(np.int64), NEVER)


def with_rates(shoppers: Shoppers, world: World, draws: Draws) -> tuple[Shoppers, float]:
    """Return customers with their expected orders, and the orders per weight of days that makes their mean right."""
    size, mean = len(shoppers), world.orders_per_customer
    _, before, after = exposure(world, shoppers)
    weight = purchase_weight(world, shoppers, draws)
    rate = ORDINARY_SHARE * mean * size / max(weight.sum(), 1e-9)
    is_reseller = draws.uniform("reseller", size) < RESELLER_SHARE
    is_reseller &= before + after > LEAST_EXPOSURE * world.demand[-1]
    tail = (1.0 - draws.uniform("tail", size)) ** (-1.0 / RESELLER_TAIL)
    resold = mean * np.minimum(RESELLER_TIMES * tail, LARGEST_TIMES)
    expected = np.where(is_reseller, resold, rate * weight)
    return replace(shoppers, expected=expected, is_reseller=is_reseller), rate
