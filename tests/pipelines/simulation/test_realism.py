"""The simulated marketplace sits among real purchase logs: every quantile between the smallest and the largest."""

import duckdb
import pyarrow as pa
import pytest

from tests.evidence.purchase_logs.distributions import Distributions
from tests.evidence.purchase_logs.real_logs import ONLINE_RETAIL, real_logs, real_returns
from tests.evidence.purchase_logs.realism import Comparison, compare, year_of
from tests.pipelines.simulation.lakes import Lake


@pytest.fixture(scope="module")
def real() -> dict[str, Distributions]:
    return {name: year_of(orders) for name, orders in real_logs().items()}


@pytest.fixture(scope="module")
def orders(lake: Lake) -> pa.Table:
    return lake.table("select customer_id, ordered_at, amount, returned_at from orders")


def outside(found: list[Comparison]) -> list[Comparison]:
    return [one for one in found if not one.sits_among]


@pytest.mark.skipif(not ONLINE_RETAIL.is_file(), reason=f"no {ONLINE_RETAIL.name} beside the repository")
def test_the_defaults_sit_among_the_real_logs(real: dict[str, Distributions], orders: pa.Table) -> None:
    assert not outside(compare(real, year_of(orders), real_returns()))


def test_they_hardly_leave_the_range_of_the_two_that_packages_ship(
    real: dict[str, Distributions], orders: pa.Table
) -> None:
    # Nobody buys for a business in these two, so that their dearest orders are less dear: a tolerance of a fifth.
    shipped = {name: real[name] for name in ("CDNOW", "Complete Journey")}
    for one in compare(shipped, year_of(orders)):
        assert one.smallest / 1.2 <= one.simulated <= one.largest * 1.2, one


@pytest.mark.parametrize(
    ("quantity", "query"),
    [
        ("order_value", "select * replace ((amount * sqrt(amount / 4000))::bigint as amount) from orders"),
        ("order_value", "select * replace ((100 * sqrt(amount))::bigint as amount) from orders"),
        ("interval_days", "select * from orders qualify row_number() over (partition by customer_id) % 8 = 0"),
        ("orders_per_customer", "select * from orders qualify count(*) over (partition by customer_id) > 500"),
        ("recency_days", "select * from orders where hash(customer_id, ordered_at::date) % 20 = 0"),
    ],
    ids=["dearer baskets", "more equal baskets", "one visit in eight", "resellers alone", "few days"],
)
def test_the_comparison_would_notice_other_shoppers(
    quantity: str, query: str, real: dict[str, Distributions], orders: pa.Table
) -> None:
    with duckdb.connect() as connection:
        connection.register("orders", orders)
        others = year_of(connection.execute(query).to_arrow_table())
    missed = outside(compare(real, others))
    assert quantity in {one.quantity for one in missed}


def test_some_register_and_never_order(lake: Lake) -> None:
    # Real logs hold buyers only and cannot tell how many: a plausible share is all that is claimed.
    never = lake.one("select avg((customer_id not in (select customer_id from orders))::int) from customers")
    assert 0.1 < never < 0.35
