"""CDNOW: the purchases of everybody who first bought compact discs there in early 1997, until June 1998.

Fader and Hardie, Forecasting Repeat Sales at CDNOW (2001); the package lifetimes (MIT) ships the file.
"""

from pathlib import Path

from tests.evidence.purchase_logs.purchase_log import PurchaseLog, existing, read_log, shipped

ORDERS = r"""
with lines as (
    select row_number() over () as line, string_split_regex(trim(line), '\s+') as word
    from read_csv($log, columns = {'line': 'varchar'}, delim = '|', quote = '', escape = '', header = true)
)
select
    line as order_id,
    word[1]::bigint as customer_id,
    strptime(word[2], '%Y%m%d')::timestamp as ordered_at,
    (word[4]::decimal(12, 2) * 100)::bigint as amount,
from lines
order by ordered_at, order_id
"""


def read_cdnow(path: Path | None = None) -> PurchaseLog:
    """Return one order per line of the file, in cents.

    The file knows the day of an order and no time of day: all lie at midnight, and a customer's orders of one day tie.
    `order_id` is the number of the line. Nothing is left out.

    Raises:
        DataError: the package lifetimes is not installed; no file; not this file.
    """
    file = path or shipped("lifetimes", "lifetimes/datasets/CDNOW_master.txt")
    return read_log(ORDERS, {}, {"log": existing(file)})
