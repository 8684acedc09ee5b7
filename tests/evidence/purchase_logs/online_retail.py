"""Online Retail: a year of a British gift shop's invoices, December 2010 to December 2011, many to wholesalers.

Chen, Online Retail (2015), UCI Machine Learning Repository, CC BY 4.0; no package ships it.
"""

from pathlib import Path

from tests.evidence.purchase_logs.purchase_log import PurchaseLog, existing, read_log

# An invoice that begins with C takes goods back: negative quantities. It names no earlier invoice, so the goods are
# taken to come from the customer's latest earlier one that holds them.
LINES = """
with lines as (
    select *, invoice_no like 'C%' as is_cancellation from read_parquet($log) where customer_id is not null
),
sold as (
    select customer_id, stock_code, invoiced_at, max(invoice_no) as order_id
    from lines where not is_cancellation group by all
),
taken_back as (
    select back.invoiced_at as returned_at, order_id
    from (from lines where is_cancellation) as back
    asof left join sold on back.customer_id = sold.customer_id and back.stock_code = sold.stock_code
        and back.invoiced_at > sold.invoiced_at
)
"""

ORDERS = f"""{LINES},
returns as (select order_id, min(returned_at) as returned_at from taken_back group by order_id),
invoices as (
    select
        invoice_no as order_id, customer_id, min(invoiced_at) as ordered_at,
        round(sum(quantity * unit_price::decimal(12, 4)) * 100)::bigint as amount,
    from lines where not is_cancellation group by invoice_no, customer_id
)
select order_id, customer_id, ordered_at, amount, returned_at
from invoices left join returns using (order_id)
order by ordered_at, order_id
"""

LEFT_OUT = {
    "lines without a customer": "select count(*) from read_parquet($log) where customer_id is null",
    "cancelled lines without an earlier order": f"{LINES} select count(*) from taken_back where order_id is null",
}


def read_online_retail(path: Path) -> PurchaseLog:
    """Return one order per invoice, in pence.

    `returned_at` is when the first goods of an order were taken back, whether all were or not. The log has neither
    categories nor discounts that belong to an order. Times are London's, taken as UTC.

    Raises:
        DataError: no file; not this file.
    """
    return read_log(ORDERS, LEFT_OUT, {"log": existing(path)})
