"""Recomputes an application's features from the lake as it was then: later rows deleted, later values blanked.

This checks the point-in-time logic of the features, so it shares none of it: each application gets a customer of its
own, whose tables have only what was known by then.
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
"""Column: the moment before which a fact must be known to be kept."""

SINGLED = "singled"
"""Column: the number of the application that a row's history is cut for, which is its customer in the cut lake."""

FINANCED = "financed"
"""Column: the order that the application asks to finance, which is no history."""

DECIDED = ("order_id", "price", "decision", "decision_score", "is_random_approval")
"""Columns of applications that result from their own decision."""


def recompute_features(lake: PreparedLake, ids: Sequence[str]) -> pa.Table:
    """Return application_id (text) and the features of applications, each from the lake cut at its observation time.

    `ids` are distinct texts; one that the clean tables do not have is left out. Rows are in no order.
    """
    singled = _singled(lake, ids)
    history = cut_history(lake.folder, singled)
    features = compute_features(history, lake.features, lag_days=lake.lag_days)
    selected = features.filter(pc.less(features["application_id"], len(singled)))
    names = singled["requested_id"].take(selected["application_id"])
    return selected.set_column(0, "application_id", names.cast(pa.string()))


def cut_history(folder: Path, singled: pa.Table) -> History:
    """Return the history of each selected application's customer as known then, under a customer of its own.

    `singled` has SINGLED (0, 1, ...), customer_id, `requested_id` (the application's id), KNOWN_BEFORE and FINANCED. In
    the history the id of a selected application is its number; earlier applications have other numbers.
    """
    applications = _applications(_of_customers(folder, "applications", singled))
    return History(
        customers=_as_own(_before(_of_customers(folder, "customers", singled), "registered_at")),
        orders=_as_own(_orders(_of_customers(folder, "orders", singled))),
        applications=_as_own(applications).drop_columns("application_id").rename_columns({"number": "application_id"}),
        instalments=_instalments(folder, applications),
    )


def _singled(lake: PreparedLake, ids: Sequence[str]) -> pa.Table:
    is_selected = pc.field("application_id").cast(pa.string()).isin(pa.array(ids, pa.string()))
    rows = _read(lake.folder, "applications", is_selected, ["application_id", "customer_id", "applied_at", "order_id"])
    lag = pa.scalar(timedelta(days=lake.lag_days), pa.duration("us"))
    columns = {
        SINGLED: pa.array(np.arange(len(rows))),
        "customer_id": rows["customer_id"],
        "requested_id": rows["application_id"],
        KNOWN_BEFORE: pc.subtract(rows["applied_at"], lag),
        FINANCED: rows["order_id"],
    }
    return pa.table(columns)


def _read(folder: Path, table: str, rows: pc.Expression, columns: list[str] | None = None) -> pa.Table:
    return pds.dataset(folder / CLEAN / table, format="parquet").to_table(columns, filter=rows)


def _of_customers(folder: Path, table: str, singled: pa.Table) -> pa.Table:
    """Return the rows of each selected application's customer, once for each application."""
    theirs = _read(folder, table, pc.field("customer_id").isin(pc.unique(singled["customer_id"])))
    return singled.join(theirs, "customer_id", join_type="inner")


def _orders(orders: pa.Table) -> pa.Table:
    """Delete later orders and the financed one; blank later returns and cancellations of the others."""
    placed = _before(orders, "ordered_at")
    arrived = pc.fill_null(pc.less(placed["available_at"], placed[KNOWN_BEFORE]), True)
    is_other = pc.fill_null(pc.not_equal(placed["order_id"], placed[FINANCED]), True)
    return _blanked(placed.filter(pc.and_(arrived, is_other)), "returned_at", "cancelled_at")


def _applications(applications: pa.Table) -> pa.Table:
    """Delete other, later applications; blank later outcomes; number the applications that are left."""
    is_itself = pc.equal(applications["application_id"], applications["requested_id"])
    is_earlier = pc.less(applications["applied_at"], applications[KNOWN_BEFORE])
    left = applications.append_column("is_itself", is_itself).filter(pc.or_(is_itself, is_earlier))
    left = _blanked(left, "disbursed_at", "refunded_at", "fraud_confirmed_at", "written_off_at")
    others = np.arange(len(left)) + pc.max(applications[SINGLED]).as_py() + 1 if len(left) else np.arange(0)
    number = pc.if_else(left["is_itself"], left[SINGLED], pa.array(others, pa.int64()))
    return left.append_column("number", number).drop_columns([*DECIDED, "is_itself"])


def _instalments(folder: Path, applications: pa.Table) -> pa.Table:
    """Delete instalments of loans not yet disbursed (unless they had fallen due), and blank later payments."""
    owed = _read(folder, "instalments", pc.field("application_id").isin(pc.unique(applications["application_id"])))
    loans = applications.select(["application_id", "number", "disbursed_at", KNOWN_BEFORE])
    rows = loans.rename_columns({"number": "loan"}).join(owed, "application_id", join_type="inner")
    lent = pc.less(rows["disbursed_at"], rows[KNOWN_BEFORE])
    due = pc.less(rows["due_at"], rows[KNOWN_BEFORE])
    instalments = _blanked(rows.filter(pc.or_kleene(lent, due)), "paid_at")
    paid = pc.if_else(pc.is_valid(instalments["paid_at"]), instalments["paid_amount"], pa.scalar(0, pa.int64()))
    instalments = instalments.drop_columns(["application_id", "disbursed_at", KNOWN_BEFORE, "paid_amount"])
    return instalments.append_column("paid_amount", paid).rename_columns({"loan": "application_id"})


def _before(table: pa.Table, column: str) -> pa.Table:
    return table.filter(pc.less(table[column], table[KNOWN_BEFORE]))


def _blanked(table: pa.Table, *columns: str) -> pa.Table:
    for column in columns:
        is_known = pc.less(table[column], table[KNOWN_BEFORE])
        values = pc.if_else(is_known, table[column], pa.scalar(None, table[column].type))
        table = table.set_column(table.column_names.index(column), column, values)
    return table


def _as_own(table: pa.Table) -> pa.Table:
    """Return rows with the selected application's number as their customer."""
    return table.drop_columns(["customer_id", "requested_id", KNOWN_BEFORE, FINANCED]).rename_columns(
        {SINGLED: "customer_id"}
    )
