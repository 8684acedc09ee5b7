"""The catalogue of features: name, meaning, direction and formula over exact sums, the same whatever the engine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from pipelines.credit.periods import Period
from pipelines.features import formulas
from pipelines.features.facts import OTHER, levels_of
from pipelines.features.formulas import ratio
from pipelines.features.settings import FeatureSettings, What, name_of_level


class Direction(Enum):
    """Which way risk goes as the feature rises, where that is known beforehand."""

    safer = "safer"
    riskier = "riskier"
    unknown = "unknown"


SAFER, RISKIER, UNKNOWN = Direction.safer, Direction.riskier, Direction.unknown


@dataclass(frozen=True)
class Sum:
    """A sum over facts of one kind: of what happened in the last `days`, or (None) of what stands at the moment."""

    facts: str
    weight: str
    days: int | None = None


@dataclass(frozen=True)
class Age:
    """Microseconds since the latest of the known facts of one kind happened.

    There is none since the earliest: that says how far the lake reaches back rather than who the customer is.
    """

    facts: str


@dataclass(frozen=True)
class Own:
    """A figure of the application itself: its `principal`, `term`, `hours` (its moment), `night`, `registered_for`."""

    name: str


Quantity = Sum | Age | Own


@dataclass(frozen=True)
class Feature:
    """A numeric feature. `meaning` is a noun phrase for reasons and reports."""

    name: str
    meaning: str
    direction: Direction
    what: What
    quantities: tuple[Quantity, ...]
    formula: Callable[..., Any]


BASKET_CATEGORY = "basket_category"
"""The one categorical feature: the category of the financed order."""


@dataclass(frozen=True)
class _Row:
    """A line of the catalogue. `needs` lists sums as facts.weight, and figures of the application as own.name.

    With `each`, there is a feature for each declared level of that column of orders, in place of `{level}`.
    """

    name: str
    meaning: str
    what: What
    direction: Direction
    formula: Callable[..., Any]
    needs: str
    each: str = ""


_ORDERS = "orders.orders"
_SQUARES = "orders.orders orders.spent orders.spent_squared"
_LEVEL = "orders.orders:{each}:{level} orders.orders"
_DUE = "due.instalments"

OF_EACH_WINDOW = (
    _Row("orders", "number of orders", What.frequency, SAFER, formulas.itself, _ORDERS),
    _Row("spent", "amount spent", What.amount, SAFER, formulas.itself, "orders.spent"),
    _Row("mean_order", "mean order amount", What.amount, UNKNOWN, ratio, "orders.spent orders.orders"),
    _Row("order_deviation", "deviation of order amounts", What.spread, UNKNOWN, formulas.deviation, _SQUARES),
    _Row("order_variation", "relative deviation of order amounts", What.spread, UNKNOWN, formulas.variation, _SQUARES),
    _Row("mean_order_age", "mean age, in days, of the orders", What.trend, UNKNOWN, formulas.mean_age,
         "own.hours orders.orders orders.hours"),
    _Row("order_time_deviation", "deviation, in days, of order times", What.regularity, SAFER,
         formulas.deviation_in_days, "orders.orders orders.hours orders.hours_squared"),
    _Row("categories", "number of categories bought", What.diversity, UNKNOWN, formulas.distinct,
         "orders.orders:category:*"),
    _Row("category_entropy", "diversity (entropy) of the categories bought", What.diversity, UNKNOWN, formulas.entropy,
         "orders.orders:category:*"),
    _Row("spent_on_{level}", "share of spending on {level}", What.categories, UNKNOWN, ratio,
         "orders.spent:{each}:{level} orders.spent", each="category"),
    _Row("by_{level}", "share of orders placed by {level}", What.channels, UNKNOWN, ratio, _LEVEL, each="channel"),
    _Row("paid_by_{level}", "share of orders paid by {level}", What.payment_methods, UNKNOWN, ratio, _LEVEL,
         each="payment_method"),
    _Row("orders_in_{level}", "number of orders in {level}", What.marketplaces, SAFER, formulas.itself,
         "orders.orders:{each}:{level}", each="marketplace"),
    _Row("spent_in_{level}", "share of spending in {level}", What.marketplaces, UNKNOWN, ratio,
         "orders.spent:{each}:{level} orders.spent", each="marketplace"),
    _Row("night_share", "share of orders placed at night", What.timing, RISKIER, ratio, f"orders.night {_ORDERS}"),
    _Row("weekend_share", "share of orders placed at weekends", What.timing, UNKNOWN, ratio,
         f"orders.weekend {_ORDERS}"),
    _Row("payday_share", "share of orders placed around payday", What.timing, UNKNOWN, ratio,
         f"orders.payday {_ORDERS}"),
    _Row("returned_share", "share of orders returned", What.returns, RISKIER, ratio, f"returned.orders {_ORDERS}"),
    _Row("returned_amount_share", "share of spending returned", What.returns, RISKIER, ratio,
         "returned.spent orders.spent"),
    _Row("cancelled_share", "share of orders cancelled", What.returns, UNKNOWN, ratio, f"cancelled.orders {_ORDERS}"),
    _Row("discount_rate", "discounts over list prices", What.discounts, UNKNOWN, formulas.share_of_both,
         "orders.discount orders.spent"),
    _Row("discounted_share", "share of orders with a discount", What.discounts, UNKNOWN, ratio,
         f"orders.discounted {_ORDERS}"),
    _Row("instalments_due", "number of instalments due", What.instalments, UNKNOWN, formulas.itself, _DUE),
    _Row("late_share", "share of instalments unpaid at their due date", What.instalments, RISKIER, ratio,
         f"due.late {_DUE}"),
    _Row("mean_days_late", "mean delay, in days, of instalments settled late", What.instalments, RISKIER, ratio,
         "late.days_late late.settled_late"),
    _Row("reached_30_dpd", "number of instalments that went 30 days past due", What.instalments, RISKIER,
         formulas.itself, "arrears.arrears"),
    _Row("applications", "number of earlier applications", What.instalments, RISKIER, formulas.itself,
         "applications.applications"),
)  # fmt: skip

OF_ALL_TIME = (
    _Row("days_since_last_order", "days since the last order", What.recency, RISKIER, formulas.days, "orders.latest"),
    _Row("days_since_last_application", "days since the last application", What.recency, SAFER, formulas.days,
         "applications.latest"),
    _Row("days_since_registration", "days since registration", What.tenure, SAFER, formulas.days, "own.registered_for"),
    _Row("owed", "amount owed on earlier loans", What.instalments, RISKIER, formulas.itself, "debt.amount"),
    _Row("open_instalments", "number of instalments still to be paid", What.instalments, RISKIER, formulas.itself,
         "debt.instalments"),
    _Row("overdue", "amount overdue", What.instalments, RISKIER, formulas.itself, "due.amount"),
    _Row("overdue_instalments", "number of instalments overdue", What.instalments, RISKIER, formulas.itself, _DUE),
    _Row("principal", "amount to be financed", What.application, UNKNOWN, formulas.known, "own.principal"),
    _Row("{term}", "term in {period}s", What.application, RISKIER, formulas.known, "own.term"),
    _Row("applied_at_night", "application made at night", What.application, RISKIER, formulas.itself, "own.night"),
)  # fmt: skip


def features_of(settings: FeatureSettings) -> list[Feature]:
    """Return the features that the settings declare, in a fixed order.

    >>> [feature.name for feature in features_of(FeatureSettings(what=[What.frequency], windows=[30, 90]))]
    ['orders_30d', 'orders_90d']
    """
    windows = sorted(settings.windows)
    features = [feature for days in windows for row in OF_EACH_WINDOW for feature in _of_row(row, settings, days)]
    features += _of_pace(windows)
    features += [feature for row in OF_ALL_TIME for feature in _of_row(row, settings, None)]
    features += _of_relation(settings.term_period, windows[-1])
    return [feature for feature in features if feature.what in settings.what]


def quantities_of(features: Sequence[Feature]) -> set[Quantity]:
    """Return all that the formulas need."""
    return {quantity for feature in features for quantity in feature.quantities}


def _of_row(row: _Row, settings: FeatureSettings, days: int | None) -> Iterator[Feature]:
    levels = levels_of(settings)
    if "*" in row.needs and not levels["category"]:
        return
    for level in levels[row.each] if row.each else [""]:
        needs = [need.format(each=row.each, level=level) for need in row.needs.split()]
        spelled = row.meaning.format(level=level.replace("_", " "), period=settings.term_period.value)
        name = row.name.format(level=name_of_level(level), term=name_of_term(settings.term_period))
        meaning = spelled
        if days is not None:
            name, meaning = f"{name}_{days}d", f"{spelled} in the last {days} days"
        quantities = tuple(one for need in needs for one in _quantities(need, days, levels["category"]))
        yield Feature(name, meaning, row.direction, row.what, quantities, row.formula)


def _quantities(need: str, days: int | None, categories: Sequence[str]) -> Iterator[Quantity]:
    facts, _, weight = need.partition(".")
    if facts == "own":
        yield Own(weight)
    elif weight == "latest":
        yield Age(facts)
    elif weight.endswith("*"):
        yield from (Sum(facts, weight[:-1] + category, days) for category in [*categories, OTHER])
    else:
        yield Sum(facts, weight, days)


def _of_pace(windows: Sequence[int]) -> Iterator[Feature]:
    """Yield how the pace of each shorter window compares with that of the longest."""
    *shorter, longest = windows
    for days in shorter:
        for weight, activity in {"orders": "ordering", "spent": "spending"}.items():
            yield Feature(
                f"{weight}_pace_{days}d",
                f"pace of {activity} in the last {days} days over that in the last {longest} days",
                SAFER,
                What.trend,
                (Sum("orders", weight, days), Sum("orders", weight, longest)),
                partial(formulas.pace, days, longest),
            )


def name_of_term(period: Period) -> str:
    """Return the name of the feature that is the term: one in months and one in days are not the same feature.

    >>> name_of_term(Period.month), name_of_term(Period.day)
    ('term', 'term_days')
    """
    return "term" if period is Period.month else f"term_{period.value}s"


def _of_relation(period: Period, longest: int) -> Iterator[Feature]:
    """Yield what the application asks for in relation to what was spent."""
    spent, orders = Sum("orders", "spent", longest), Sum("orders", "orders", longest)
    principal, term, past = Own("principal"), Own("term"), f"in the last {longest} days"
    to_mean = ("principal_to_mean_order", f"amount to be financed over the mean order {past}")
    to_spent = ("principal_to_spent", f"amount to be financed over the amount spent {past}")
    burden = ("instalment_to_spending", f"monthly instalment over monthly spending {past}")
    per_month = partial(formulas.burden, longest, formulas.DAYS[period])
    yield Feature(*to_mean, RISKIER, What.application, (principal, orders, spent), formulas.to_mean)
    yield Feature(*to_spent, RISKIER, What.application, (principal, spent), ratio)
    yield Feature(*burden, RISKIER, What.application, (principal, term, spent), per_month)
