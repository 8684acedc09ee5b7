"""How the orders of a log are distributed, so that a simulated log can be set beside real ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.engine.duckdb_engine import in_memory

if TYPE_CHECKING:
    import pyarrow as pa

PROBABILITIES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
"""Which quantiles are taken."""

Quantiles = NDArray[np.float64]

# Logs without a time of day have several orders at one moment, so days of purchase are what intervals lie between.
QUERIES = {
    "interval_days": """
        select date_diff('day', lag(day) over (partition by customer_id order by day), day) as value
        from (select distinct customer_id, ordered_at::date as day from orders)
    """,
    "orders_per_customer": "select count(*) as value from orders group by customer_id",
    "order_value": "select amount as value from orders",
    "recency_days": """
        select epoch_us(moment - max(ordered_at)) / 86400e6 as value
        from orders, (select unnest($at) as moment) where ordered_at < moment group by customer_id, moment
    """,
}


@dataclass(frozen=True)
class Distributions:
    """Quantiles at `PROBABILITIES` of what describes a log of orders.

    `interval_days` lies between a customer's successive days of purchase; `order_value` is in minor units;
    `recency_days` is how long before the moments asked for each customer had last ordered, of those who had.
    `return_share` is the share of orders that were returned, in whole or in part; NaN where the log does not say.
    """

    interval_days: Quantiles
    orders_per_customer: Quantiles
    order_value: Quantiles
    recency_days: Quantiles
    return_share: float


def distributions(orders: "pa.Table", *at: np.datetime64) -> Distributions:
    """Return the distributions of a log; recency is measured at every `at`, by default the middle of the log's time."""
    with in_memory() as connection:
        connection.register("orders", orders)
        moments = [one.astype("datetime64[us]").item() for one in at] or [middle(connection)]
        quantiles = {name: _quantiles(connection, query, moments) for name, query in QUERIES.items()}
        return Distributions(**quantiles, return_share=_return_share(connection, orders))


def middle(connection: Any) -> Any:
    """Return the moment half-way between the first order and the last."""
    query = "select min(ordered_at) + (max(ordered_at) - min(ordered_at)) / 2 from orders"
    return connection.execute(query).fetchone()[0]


def _quantiles(connection: Any, query: str, moments: Sequence[Any]) -> Quantiles:
    values = {"at": moments} if "$at" in query else {}
    asked = f"select quantile_cont(value, {list(PROBABILITIES)}) from ({query})"
    found = connection.execute(asked, values).fetchone()[0]
    return np.full(len(PROBABILITIES), np.nan) if found is None else np.array(found, np.float64)


def _return_share(connection: Any, orders: "pa.Table") -> float:
    if "returned_at" not in orders.schema.names:
        return float("nan")
    share = connection.execute("select count(returned_at) / nullif(count(*), 0) from orders").fetchone()[0]
    return float("nan") if share is None else float(share)
