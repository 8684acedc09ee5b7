"""Applications that nobody made: a purchase log knows of no loans, so that its features need moments to be asked at."""

from typing import TYPE_CHECKING

import numpy as np

from pipelines.features.history import History

if TYPE_CHECKING:
    import pyarrow as pa

PRINCIPAL, TERM = 30_000, 6
"""Made up, the same for everyone: no feature of purchases depends on them."""


def with_made_up_applications(orders: "pa.Table", count: int, seed: int = 0) -> History:
    """Return a log's orders with up to `count` made-up applications at random dates by random customers.

    The dates lie in the second half of the log's time. Those before the customer's first order are left out: whoever
    has ordered nothing has no features of purchases. No loan is disbursed, and no registration is known.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    first = orders.group_by("customer_id", use_threads=False).aggregate([("ordered_at", "min")])
    start, end = (pc.min_max(orders["ordered_at"])[which].cast(pa.int64()).as_py() for which in ("min", "max"))
    generator = np.random.default_rng(seed)
    customer = generator.integers(0, len(first), count)
    applied_at = generator.integers((start + end) // 2, end, count, endpoint=True).astype("M8[us]")
    has_ordered = first["ordered_at_min"].to_numpy()[customer] < applied_at
    ids = first["customer_id"].take(pa.array(customer[has_ordered]))
    return History(
        customers=pa.table({"customer_id": ids.slice(0, 0), "registered_at": pa.array([], pa.timestamp("us"))}),
        orders=orders,
        applications=_applications(ids, applied_at[has_ordered]),
        instalments=_no_instalments(),
    )


def _applications(
    customers: "pa.ChunkedArray", applied_at: np.ndarray[tuple[int], np.dtype[np.datetime64]]
) -> "pa.Table":
    import pyarrow as pa

    size = len(applied_at)
    return pa.table(
        {
            "application_id": np.arange(size),
            "customer_id": customers,
            "applied_at": pa.array(applied_at),
            "principal": np.full(size, PRINCIPAL),
            "term": np.full(size, TERM, np.int32),
            "basket_category": pa.nulls(size, pa.string()),
            "disbursed_at": pa.nulls(size, pa.timestamp("us")),
        }
    )


def _no_instalments() -> "pa.Table":
    import pyarrow as pa

    moments, amounts = pa.timestamp("us"), pa.int64()
    columns = {
        "application_id": pa.int64(),
        "number": pa.int32(),
        "due_at": moments,
        "due_amount": amounts,
        "paid_at": moments,
        "paid_amount": amounts,
    }
    return pa.schema(columns).empty_table()
