"""Small random marketplaces, nasty ones on purpose: ties, late records, empty histories, part payments, gaps."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.features.history import History
from pipelines.features.settings import FeatureSettings
from pipelines.marketplace.tables import CONTRACTS, Kind

SETTINGS = FeatureSettings(
    categories=["toys", "home"],
    channels=["app", "web"],
    payment_methods=["card", "cash_on_delivery"],
    marketplaces=["north", "south"],
    time_zone="America/New_York",
)
START = datetime(2024, 1, 1)
ARROW = {
    Kind.identifier: pa.int64(),
    Kind.text: pa.string(),
    Kind.time: pa.timestamp("us"),
    Kind.money: pa.int64(),
    Kind.whole: pa.int32(),
    Kind.number: pa.float64(),
    Kind.flag: pa.bool_(),
}

Tables = dict[str, list[dict[str, Any]]]


def random_tables(seed: int, customers: int = 12) -> Tables:
    """Draw a marketplace; half of the times lie on whole days, so that they tie."""
    generator = np.random.default_rng(seed)

    def moment(earliest: datetime = START, days: int = 500) -> datetime:
        if generator.random() < 0.5:
            return max(START + timedelta(days=int(generator.integers(0, 500))), earliest)
        return earliest + timedelta(microseconds=int(generator.integers(0, days * 86_400_000_000)))

    def maybe(value: Any, probability: float) -> Any:
        return value if generator.random() < probability else None

    def pick(*values: Any) -> Any:
        return values[generator.integers(len(values))]

    tables: Tables = {"customers": [], "orders": [], "applications": [], "instalments": []}
    for customer in range(customers):
        if generator.random() < 0.9:
            tables["customers"].append({"customer_id": customer, "registered_at": moment()})
        for _ in range(generator.integers(0, 40) if generator.random() < 0.8 else 0):
            ordered = moment()
            tables["orders"].append(
                {
                    "order_id": len(tables["orders"]),
                    "customer_id": customer,
                    "ordered_at": ordered,
                    "amount": int(generator.integers(0, 4) * generator.integers(0, 100_000)),
                    "category": pick("toys", "home", "books", None),
                    "discount": pick(None, 0, 250),
                    "channel": pick("app", "web", "store", None),
                    "payment_method": pick("card", "cash_on_delivery", "wallet"),
                    "marketplace": pick("north", "south", "east", None),
                    "returned_at": maybe(moment(ordered, 60), 0.3),
                    "cancelled_at": maybe(moment(ordered, 5), 0.1),
                    "available_at": maybe(moment(ordered, 100), 0.2),
                }
            )
        for _ in range(generator.integers(0, 5)):
            _add_application(tables, customer, moment, maybe, pick)
    generator.shuffle(tables["orders"])
    return tables


def _add_application(tables: Tables, customer: int, moment: Any, maybe: Any, pick: Any) -> None:
    applied, number = moment(), len(tables["applications"])
    mine = [row["order_id"] for row in tables["orders"] if row["customer_id"] == customer]
    disbursed = maybe(moment(applied, 3), 0.8)
    loan = {
        "application_id": number,
        "customer_id": customer,
        "applied_at": applied,
        "principal": int(pick(10_000, 55_500)),
        "term": pick(3, 6),
        "basket_category": pick("toys", None),
        "order_id": maybe(pick(*mine), 0.6) if mine else None,
        "decision": "approved",
        "disbursed_at": disbursed,
    }
    tables["applications"].append(loan)
    for month in range(1, 4 if disbursed else 0):
        due = disbursed + timedelta(days=30 * month)
        paid = maybe(moment(due - timedelta(days=10), 80), 0.7)
        tables["instalments"].append(
            {
                "application_id": number,
                "number": month,
                "due_at": due,
                "due_amount": 5_000,
                "paid_at": paid,
                "paid_amount": pick(5_000, 5_000, 2_000) if paid else 0,
            }
        )


def history_of(tables: Tables) -> History:
    """Return the tables as the kernel takes them."""
    return History(**{contract.name: arrow_table(contract.name, tables[contract.name]) for contract in CONTRACTS})


def arrow_table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Return rows as a table of the contract of that name."""
    contract = next(one for one in CONTRACTS if one.name == name)
    schema = pa.schema([(column.name, ARROW[column.kind]) for column in contract.columns])
    return pa.Table.from_pylist([{column: row.get(column) for column in schema.names} for row in rows], schema=schema)
