"""From tables to facts: what each order, instalment and application adds to a history, and from when on it counts."""

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.errors import DataError
from pipelines.features.columns import MISSING, Integers, codes, local_clock, numbers, times
from pipelines.features.history import Rows
from pipelines.features.running_sums import FOREVER, Facts
from pipelines.features.settings import FeatureSettings

MICROSECONDS_A_DAY = 86_400_000_000
MICROSECONDS_AN_HOUR = 3_600_000_000

SATURDAY = 5
ARREARS_DAYS = 30

OTHER = "other"
"""The level of what is not declared, and of what is missing."""


def order_facts(orders: Rows, settings: FeatureSettings) -> list[Facts]:
    """Return one fact for each order, known when its record was available; those that came late in a list apart."""
    happened, known = times(orders.table, "ordered_at"), available_at(orders.table)
    is_late = known > happened
    order = np.lexsort((known, orders.customer))  # rows are put in order once, not each of their weights
    parts = [order[is_late[order] == late] for late in (False, True)]
    return [_order_facts(orders.take(rows), rows, settings) for rows in parts]


def _order_facts(orders: Rows, source: Integers, settings: FeatureSettings) -> Facts:
    table = orders.table
    happened, amount = times(table, "ordered_at"), numbers(table, "amount", otherwise=0)
    _check_squares(orders.customer, amount)
    hours, discount = happened // MICROSECONDS_AN_HOUR, numbers(table, "discount", otherwise=0)
    weights = {
        "orders": np.ones(len(happened), np.int64),
        "spent": amount,
        "spent_squared": amount * amount,
        "hours": hours,
        "hours_squared": hours * hours,
        "discount": discount,
        "discounted": (discount > 0).astype(np.int64),
        **_clock_weights(table["ordered_at"], settings),
    }
    for column, levels in levels_of(settings).items():
        code = codes(table, column, levels)
        for position, level in enumerate([*levels, OTHER]):
            weights[f"orders:{column}:{level}"] = (code == position).astype(np.int64)
            weights[f"spent:{column}:{level}"] = np.where(code == position, amount, 0)
    return Facts(orders.customer, happened, available_at(table), _never(happened), weights, source)


def levels_of(settings: FeatureSettings) -> dict[str, list[str]]:
    """Return the declared levels of the columns of orders that have them."""
    return {
        "category": settings.categories,
        "channel": settings.channels,
        "payment_method": settings.payment_methods,
        "marketplace": settings.marketplaces,
    }


def fate_facts(orders: Rows, column: str) -> Facts:
    """Return one fact for each order that was returned (or cancelled), known only when that happened."""
    fate = times(orders.table, column)
    source = np.flatnonzero(fate != MISSING)
    ended = orders.take(source)
    happened, known = times(ended.table, "ordered_at"), np.maximum(fate[source], available_at(ended.table))
    weights = {"orders": np.ones(len(ended), np.int64), "spent": numbers(ended.table, "amount", otherwise=0)}
    return Facts(ended.customer, happened, known, _never(happened), weights, source)


def application_facts(applications: Rows) -> Facts:
    """Return one fact for each application."""
    happened = times(applications.table, "applied_at")
    weights = {"applications": np.ones(len(happened), np.int64)}
    return Facts(applications.customer, happened, happened, _never(happened), weights)


@dataclass(frozen=True)
class Debts:
    """Instalments: when each was lent, falls due and was settled (FOREVER: not yet), and its amount, shape (n,)."""

    customer: Integers
    disbursed: Integers
    due: Integers
    settled: Integers
    amount: Integers

    @classmethod
    def of(cls, instalments: Rows, disbursed: Integers) -> "Debts":
        """Return the debts of instalments; one that was paid in part is not settled."""
        table = instalments.table
        paid, amount = times(table, "paid_at"), numbers(table, "due_amount", otherwise=0)
        is_settled = (numbers(table, "paid_amount", otherwise=0) >= amount) & (paid != MISSING)
        settled = np.where(is_settled, paid, FOREVER)
        return cls(instalments.customer, disbursed, times(table, "due_at"), settled, amount)

    def take(self, rows: NDArray[np.bool_]) -> "Debts":
        """Return some of the debts, by mask."""
        return Debts(*(getattr(self, member.name)[rows] for member in fields(self)))


def due_facts(debts: Debts) -> Facts:
    """Return one fact for each instalment, known when it falls due and standing until it is settled.

    Whether it was late is known right after its due date: what is unpaid then is late, however long that lasts.
    """
    late = (debts.settled > debts.due).astype(np.int64)
    weights = {"instalments": np.ones(len(late), np.int64), "late": late, "amount": debts.amount}
    return Facts(debts.customer, debts.due, debts.due, debts.settled, weights)


def late_facts(debts: Debts) -> Facts:
    """Return one fact for each instalment that was settled late, known when it was settled."""
    late = debts.take((debts.settled > debts.due) & (debts.settled != FOREVER))
    days = (late.settled - late.due) // MICROSECONDS_A_DAY
    weights = {"settled_late": np.ones(len(days), np.int64), "days_late": days}
    return Facts(late.customer, late.due, late.settled, _never(late.due), weights)


def arrears_facts(debts: Debts) -> Facts:
    """Return one fact for each instalment that went ARREARS_DAYS unpaid, at the moment when it had."""
    reached = debts.due + ARREARS_DAYS * MICROSECONDS_A_DAY
    rows = debts.settled > reached
    weights = {"arrears": np.ones(int(rows.sum()), np.int64)}
    return Facts(debts.customer[rows], reached[rows], reached[rows], _never(reached[rows]), weights)


def debt_facts(debts: Debts) -> Facts:
    """Return one fact for each instalment of a loan, owed from its disbursement until it is settled."""
    lent = debts.take(debts.disbursed != MISSING)
    weights = {"instalments": np.ones(len(lent.due), np.int64), "amount": lent.amount}
    return Facts(lent.customer, lent.disbursed, lent.disbursed, lent.settled, weights)


def available_at(orders: pa.Table) -> Integers:
    """Return when each order was known: when it happened, or when its record arrived if that was later."""
    return np.maximum(times(orders, "available_at"), times(orders, "ordered_at"))


def _check_squares(customer: Integers, amount: Integers) -> None:
    """Raise DataError where a customer's squared amounts do not fit into int64, which would say something wrong."""
    squares = np.bincount(customer, weights=amount.astype(float) ** 2) if len(customer) else np.zeros(1)
    if squares.max() >= 2.0**62:
        raise DataError(
            "the squares of a customer's order amounts must sum to less than 2^62, received "
            f"{squares.max():.3g} (largest amount {int(amount.max()):,} minor units); state money in a larger unit"
        )


def _never(happened: Integers) -> Integers:
    return np.full(len(happened), FOREVER)


def at_night(moments: pa.ChunkedArray, settings: FeatureSettings) -> Integers:
    """Return 1 for each UTC time that is at night on the shoppers' clocks, else 0."""
    return (local_clock(moments, settings.clock)[0] < settings.night_until).astype(np.int64)


def _clock_weights(moments: pa.ChunkedArray, settings: FeatureSettings) -> dict[str, Integers]:
    """Return which orders were placed at night, at a weekend, around payday, on the shoppers' own clocks."""
    hour, day, weekday = local_clock(moments, settings.clock)
    is_payday = (day >= settings.payday_from) | (day <= settings.payday_until)
    flags = {"night": hour < settings.night_until, "weekend": weekday >= SATURDAY, "payday": is_payday}
    return {name: flag.astype(np.int64) for name, flag in flags.items()}
