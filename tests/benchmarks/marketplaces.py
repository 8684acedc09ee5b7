"""Simulated marketplaces of a chosen size for benchmarks: orders as they are, about every tenth of them financed."""

from pathlib import Path

import duckdb

_FINANCED = """
    select * from source.orders where hash(order_id) % 7 = 0
    qualify row_number() over (partition by customer_id order by hash(order_id, 1)) <= 12
"""
"""No lender finances hundreds of orders of one customer; without a bound the joins of the opponent would not end."""

_TABLES = {
    "customers": "select customer_id + {shift} as customer_id, registered_at, birth_year, sex from source.customers",
    "orders": """
        select * replace (order_id + {shift} as order_id, customer_id + {shift} as customer_id) from source.orders""",
    "applications": """
        select order_id + {shift} as application_id, customer_id + {shift} as customer_id,
          ordered_at - interval 1 minute as applied_at, null::bigint as order_id, greatest(amount, 1) as principal,
          3::integer as term, category as basket_category, 'approved' as decision, ordered_at as disbursed_at
        from source.financed""",
    "instalments": """
        with loans as (select *, unnest([1, 2, 3]) as n from source.financed),
        drawn as (select *, ordered_at + n * interval 1 month as due_at, (hash(order_id, n) % 60)::bigint as luck,
          greatest(amount // 3, 1) + case when n = 1 then amount % 3 else 0 end as due_amount from loans)
        select order_id + {shift} as application_id, n::integer as number, due_at, due_amount::bigint as due_amount,
          case when luck > 2 then greatest(ordered_at, due_at + (luck - 20) * interval 1 day) end as paid_at,
          case when luck > 2 then due_amount else 0 end::bigint as paid_amount
        from drawn""",
}
"""A twentieth of the instalments is never paid, the others from 17 days early to 39 days late."""


def enlarge(simulated: Path, into: Path, copies: int) -> None:
    """Write so many copies of a simulated marketplace, each with customers and orders of its own."""
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "4GB", "preserve_insertion_order": False})
    connection.execute("create schema source")
    for table in ("customers", "orders"):
        connection.execute(f"create view source.{table} as select * from '{simulated}/{table}/*.parquet'")
    connection.execute(f"create table source.financed as {_FINANCED}")
    for table, query in _TABLES.items():
        folder = into / table
        folder.mkdir(parents=True)
        for copy in range(copies):
            told = query.format(shift=copy * 10**12)
            connection.execute(f"copy ({told}) to '{folder}/part-{copy:03d}.parquet' (format parquet)")
