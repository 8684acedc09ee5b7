"""The lake as it was when an application was made: later rows deleted, later values blanked, its features recomputed.

This is the check on the features' own point-in-time logic, so it shares none of it: each application is given a
customer of its own, whose tables hold what had been known by then and no more, and the kernel sees nothing else.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds

from pipelines.features.history import History
from pipelines.features.kernel import compute_features
from pipelines.marketplace.buckets import CLEAN
from pipelines.marketplace.manifest import PreparedLake

KNOWN_BEFORE = "known_before"
"""Column: what was not known strictly before this moment is cut away."""

SINGLED = "singled"
"""Column: the number of the application that a row's history is cut for; its customer in the cut lake."""

DECIDED = ("order_id", "price", "decision", "decision_score", "is_random_approval")
"""Columns of applications that came of their own decision."""


def recompute_features(lake: PreparedLake, ids: Sequence[str]) -> pa.Table:
    """Return application_id (text) and the features of applications, each from the lake cut at its observation time.

    `ids` are spelt as text and differ; one that the clean tables do not hold is left out. Rows are in no order.
    """
    singled = _singled(lake, ids)
    history = cut_history(lake.folder, singled)
    made = compute_features(history, lake.features, lag_days=lake.lag_days)
    of_itself = made.filter(pc.less(made["application_id"], len(singled)))
    names = singled["asked"].take(of_itself["application_id"])
    return of_itself.set_column(0, "application_id", names.cast(pa.string()))


def cut_history(folder: Path, singled: pa.Table) -> History:
    """Return the history of each singled application's customer as it was known then, under a customer of its own.

    `singled` has SINGLED (0, 1, ...), customer_id, `asked` (the application's id) and KNOWN_BEFORE. In the history that
    application's id is its number; those of earlier applications are other numbers.
    """
    applications = _applications(_of_customers(folder, "applications", singled))
    return History(
        customers=_as_own(_before(_of_customers(folder, "customers", singled), "registered_at")),
        orders=_as_own(_orders(_of_customers(folder, "orders", singled))),
        applications=_as_own(applications).drop_columns("application_id").rename_columns({"number": "application_id"}),
        instalments=_instalments(folder, applications),
    )


def _singled(lake: PreparedLake, ids: Sequence[str]) -> pa.Table:
    wanted = pc.field("application_id").cast(pa.string()).isin(pa.array(ids, pa.string()))
    found = _read(lake.folder, "applications", wanted, ["application_id", "customer_id", "applied_at"])
    lag = pa.scalar(timedelta(days=lake.lag_days), pa.duration("us"))
    columns = {
        SINGLED: pa.array(np.arange(len(found))),
        "customer_id": found["customer_id"],
        "asked": found["application_id"],
        KNOWN_BEFORE: pc.subtract(found["applied_at"], lag),
    }
    return pa.table(columns)


def _read(folder: Path, table: str, rows: pc.Expression, columns: list[str] | None = None) -> pa.Table:
    return pds.dataset(folder / CLEAN / table, format="parquet").to_table(columns, filter=rows)


def _of_customers(folder: Path, table: str, singled: pa.Table) -> pa.Table:
    """Return the rows of each singled application's customer, once for each of them."""
    theirs = _read(folder, table, pc.field("customer_id").isin(pc.unique(singled["customer_id"])))
    return singled.join(theirs, "customer_id", join_type="inner")


def _orders(orders: pa.Table) -> pa.Table:
    """Delete orders that were placed, or whose record arrived, later; blank what became of the others later."""
    known = _before(orders, "ordered_at")
    arrived = pc.fill_null(pc.less(known["available_at"], known[KNOWN_BEFORE]), True)
    return _blanked(known.filter(arrived), "returned_at", "cancelled_at")


def _applications(applications: pa.Table) -> pa.Table:
    """Delete other applications that were made later, and what came of any later; number those that are left."""
    is_itself = pc.equal(applications["application_id"], applications["asked"])
    is_earlier = pc.less(applications["applied_at"], applications[KNOWN_BEFORE])
    left = applications.append_column("is_itself", is_itself).filter(pc.or_(is_itself, is_earlier))
    left = _blanked(left, "disbursed_at", "refunded_at", "fraud_confirmed_at", "written_off_at")
    others = np.arange(len(left)) + pc.max(applications[SINGLED]).as_py() + 1 if len(left) else np.arange(0)
    number = pc.if_else(left["is_itself"], left[SINGLED], pa.array(others, pa.int64()))
    return left.append_column("number", number).drop_columns([*DECIDED, "is_itself"])


def _instalments(folder: Path, applications: pa.Table) -> pa.Table:
    """Delete instalments of loans that were not yet lent (unless they had fallen due), and blank later payments."""
    owed = _read(folder, "instalments", pc.field("application_id").isin(pc.unique(applications["application_id"])))
    loans = applications.select(["application_id", "number", "disbursed_at", KNOWN_BEFORE])
    rows = loans.rename_columns({"number": "loan"}).join(owed, "application_id", join_type="inner")
    lent = pc.less(rows["disbursed_at"], rows[KNOWN_BEFORE])
    due = pc.less(rows["due_at"], rows[KNOWN_BEFORE])
    known = _blanked(rows.filter(pc.or_kleene(lent, due)), "paid_at")
    paid = pc.if_else(pc.is_valid(known["paid_at"]), known["paid_amount"], pa.scalar(0, pa.int64()))
    known = known.drop_columns(["application_id", "disbursed_at", KNOWN_BEFORE, "paid_amount"])
    return known.append_column("paid_amount", paid).rename_columns({"loan": "application_id"})


def _before(table: pa.Table, column: str) -> pa.Table:
    return table.filter(pc.less(table[column], table[KNOWN_BEFORE]))


def _blanked(table: pa.Table, *columns: str) -> pa.Table:
    for column in columns:
        known = pc.less(table[column], table[KNOWN_BEFORE])
        values = pc.if_else(known, table[column], pa.scalar(None, table[column].type))
        table = table.set_column(table.column_names.index(column), column, values)
    return table


def _as_own(table: pa.Table) -> pa.Table:
    """Return rows with the singled application's number for their customer."""
    return table.drop_columns(["customer_id", "asked", KNOWN_BEFORE]).rename_columns({SINGLED: "customer_id"})
