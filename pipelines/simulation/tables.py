"""The tables of one part as Arrow: those of the contracts, and the truth, which only tests and grading may read."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from pipelines.marketplace.tables import APPROVED, DECLINED
from pipelines.simulation.baskets import CATEGORIES, CHANNELS, PAYMENT_METHODS, UNKNOWN, Baskets
from pipelines.simulation.draws import Ints
from pipelines.simulation.period import NEVER
from pipelines.simulation.repayment import Schedule
from pipelines.simulation.requests import MONTHLY_INCOME
from pipelines.simulation.shoppers import Shoppers
from pipelines.simulation.story import Story

TABLES = ("customers", "orders", "applications", "instalments", "truth")
IDS_PER_PART = 10**9
"""Numbers of orders and applications begin anew with each part, so that no part needs to know another."""

MICROSECONDS = 1_000_000


def tables_of(story: Story, delivered: Baskets, part: int) -> dict[str, pa.Table]:
    """Return the tables of one part; `delivered` are its baskets as the lake has them."""
    order_ids, ids = _ids(part, len(story.visits)), _ids(part, len(story.requests))
    return {
        "customers": _customers(story.shoppers),
        "orders": _orders(story, delivered, order_ids),
        "applications": _applications(story, ids, order_ids),
        "instalments": _instalments(story.schedule, ids),
        "truth": _truth(story, ids),
    }


def _customers(shoppers: Shoppers) -> pa.Table:
    return pa.table(
        {
            "customer_id": shoppers.customer_id,
            "registered_at": _times(shoppers.registered_at),
            "birth_year": shoppers.birth_year.astype(np.int32),
            "sex": _names(shoppers.is_female.astype(np.int64), ("male", "female")),
        }
    )


def _orders(story: Story, delivered: Baskets, ids: Ints) -> pa.Table:
    return pa.table(
        {
            "order_id": ids,
            "customer_id": story.shoppers.customer_id[story.visits.owner],
            "ordered_at": _times(story.visits.at),
            "amount": delivered.amount,
            "category": _names(delivered.category, tuple(CATEGORIES)),
            "discount": delivered.discount,
            "channel": _names(delivered.channel, CHANNELS),
            "payment_method": _names(delivered.payment_method, PAYMENT_METHODS),
            "returned_at": _times(delivered.returned_at),
            "cancelled_at": _times(delivered.cancelled_at),
            "available_at": _times(delivered.available_at),
        }
    )


def _applications(story: Story, ids: Ints, order_ids: Ints) -> pa.Table:
    """Return the applications; one that was declined finances no order, its basket was paid otherwise."""
    requests, decisions, loans = story.requests, story.decisions, story.loans
    return pa.table(
        {
            "application_id": ids,
            "customer_id": story.shoppers.customer_id[requests.owner],
            "applied_at": _times(requests.applied_at),
            "order_id": pa.array(order_ids[requests.order], mask=~decisions.is_approved),
            "principal": requests.principal,
            "term": requests.term.astype(np.int32),
            "basket_category": _names(story.baskets.category[requests.order], tuple(CATEGORIES)),
            "price": decisions.price,
            "decision": _names(decisions.is_approved.astype(np.int64), (DECLINED, APPROVED)),
            "decision_score": decisions.score,
            "is_random_approval": decisions.is_random_approval,
            "disbursed_at": _times(loans.disbursed_at),
            "refunded_at": _times(loans.refunded_at),
            "fraud_confirmed_at": _times(loans.fraud_confirmed_at),
            "written_off_at": _times(story.schedule.written_off_at),
        }
    )


def _instalments(schedule: Schedule, ids: Ints) -> pa.Table:
    return pa.table(
        {
            "application_id": ids[schedule.loan],
            "number": schedule.number.astype(np.int32),
            "due_at": _times(schedule.due_at),
            "due_amount": schedule.due_amount,
            "paid_at": _times(schedule.paid_at),
            "paid_amount": schedule.paid_amount,
        }
    )


def _truth(story: Story, ids: Ints) -> pa.Table:
    shoppers, owner = story.shoppers, story.requests.owner
    return pa.table(
        {
            "application_id": ids,
            **{f"true_pd_{name}": values for name, values in story.true_pds.items()},
            "latent_income": MONTHLY_INCOME * np.exp(story.requests.income),
            "latent_prudence": shoppers.prudence[owner],
            "latent_shock_at": _times(shoppers.shock_at[owner]),
            "latent_is_fraudster": shoppers.is_fraudster[owner],
        }
    )


def _ids(part: int, size: int) -> Ints:
    return np.arange(size) + part * IDS_PER_PART + 1


def _times(seconds: Ints) -> pa.Array:
    """Return moments as UTC timestamps without a zone; NEVER becomes a missing value."""
    is_missing = seconds >= NEVER
    values = np.where(is_missing, 0, seconds) * MICROSECONDS
    return pa.array(values.view("M8[us]"), mask=is_missing)


def _names(positions: Ints, names: Sequence[str]) -> pa.DictionaryArray:
    """Return text by its place in a list of names; UNKNOWN becomes a missing value."""
    codes = pa.array(positions.astype(np.int8), mask=positions == UNKNOWN)
    return pa.DictionaryArray.from_arrays(codes, pa.array(names, pa.string()))
