"""Whether a simulated log sits among the real ones: each cut to its last year, quantile against quantile."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipelines.engine.duckdb_engine import in_memory
from tests.evidence.purchase_logs.distributions import PROBABILITIES, Distributions, distributions
from tests.evidence.purchase_logs.online_retail import LINES
from tests.evidence.purchase_logs.purchase_log import existing

if TYPE_CHECKING:
    import pyarrow as pa

YEAR = timedelta(days=365)
RECENCY_AT = tuple(timedelta(days=days) for days in range(0, 181, 30))
"""Before the end of the year: recency is pooled over seven moments, so that no season decides."""

QUANTITIES = ("interval_days", "orders_per_customer", "order_value", "recency_days")


@dataclass(frozen=True)
class Comparison:
    """One figure of the simulated log between the `smallest` and the `largest` of the real ones.

    `probability` says which quantile of the `quantity`; NaN for a share.
    """

    quantity: str
    probability: float
    simulated: float
    smallest: float
    largest: float

    @property
    def sits_among(self) -> bool:
        """Whether the simulated figure lies in the range of the real ones, both ends included."""
        return self.smallest <= self.simulated <= self.largest


def last_year(orders: "pa.Table") -> "pa.Table":
    """Return the orders of a log's last 365 days: logs of any length are compared over equally long ones.

    A longer log knows longer intervals, more orders of each customer and longer absences, whoever the customers are.
    Customers without an order in that year are not in it: real logs hold buyers only, so buyers meet buyers.
    """
    import pyarrow.compute as pc

    end = pc.max(orders["ordered_at"])
    return orders.filter(pc.greater(orders["ordered_at"], pc.subtract(end, YEAR)))


def year_of(orders: "pa.Table") -> Distributions:
    """Return the distributions of a log's last year; order values over their median, since currencies differ."""
    import pyarrow.compute as pc

    year = last_year(orders)
    end = pc.max(year["ordered_at"]).as_py()
    found = distributions(year, *(np.datetime64(end - before) for before in RECENCY_AT))
    return replace(found, order_value=found.order_value / found.order_value[PROBABILITIES.index(0.5)])


def compare(
    real: Mapping[str, Distributions], simulated: Distributions, returns: tuple[float, float] | None = None
) -> list[Comparison]:
    """Return every figure of the simulated year between the real ones; what `year_of` found goes in.

    `returns` are the ends between which the share of returned orders is to lie, where a log tells.
    """
    found = [one for quantity in QUANTITIES for one in _quantiles(quantity, real, simulated)]
    if returns is not None:
        found.append(Comparison("return_share", np.nan, simulated.return_share, *returns))
    return found


def _quantiles(quantity: str, real: Mapping[str, Distributions], simulated: Distributions) -> Iterator[Comparison]:
    values = np.array([getattr(one, quantity) for one in real.values()])
    for place, probability in enumerate(PROBABILITIES):
        if (quantity, probability) != ("order_value", 0.5):  # 1 by definition, in every log
            found = getattr(simulated, quantity)[place]
            yield Comparison(quantity, probability, float(found), values[:, place].min(), values[:, place].max())


def returns_of(online_retail: Path) -> tuple[float, float]:
    """Return the share of all lines sold that were taken back, and that of orders of which any line was.

    Online Retail alone tells of returns, and an order there holds some twenty goods. A simulated order is returned
    whole or not at all, as one good is; how often lies between the two.
    """
    shares = f"""{LINES}
        select
            count(order_id) / (select count(*) from lines where not is_cancellation),
            count(distinct order_id) / (select count(distinct invoice_no) from lines where not is_cancellation)
        from taken_back
    """
    with in_memory() as connection:
        of_lines, of_orders = connection.execute(shares, {"log": existing(online_retail)}).fetchall()[0]
    return float(of_lines), float(of_orders)
