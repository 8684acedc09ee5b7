"""What the orders of every purchase log keep."""

import duckdb
import pyarrow as pa

from pipelines.marketplace.tables import ORDERS, Kind

ARROW = {
    Kind.identifier: (pa.int64(), pa.string()),
    Kind.text: (pa.string(),),
    Kind.time: (pa.timestamp("us"),),
    Kind.money: (pa.int64(),),
}


def assert_keeps_the_contract(orders: pa.Table) -> None:
    """Every column is one of the contract in its type, all needed ones are there, and every row keeps every rule."""
    known = {column.name: column for column in ORDERS.columns}
    assert {name for name, column in known.items() if not column.optional} <= set(orders.column_names) <= set(known)
    for name in orders.column_names:
        assert orders[name].type in ARROW[known[name].kind]
        assert known[name].nullable or orders[name].null_count == 0
    assert duckdb.sql("select count(distinct order_id) from orders").fetchall() == [(orders.num_rows,)]
    assert orders["ordered_at"].to_pylist() == sorted(orders["ordered_at"].to_pylist())
    for rule in ORDERS.rules:
        if all(name in orders.column_names for name in known if name in rule.holds):
            assert duckdb.sql(f"select count(*) from orders where not ({rule.holds})").fetchall() == [(0,)], rule
