"""What happened to the customers who applied: their rows of the four tables, customers numbered from 0."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.features.columns import Integers, filled, times


@dataclass(frozen=True)
class History:
    """Clean tables of the contracts that hold all rows of the customers whose applications are asked about."""

    customers: pa.Table
    orders: pa.Table
    applications: pa.Table
    instalments: pa.Table


@dataclass(frozen=True)
class Rows:
    """Rows of one table, and the number of each row's customer, shape (n,)."""

    table: pa.Table
    customer: Integers

    def __len__(self) -> int:
        return len(self.customer)

    def take(self, rows: NDArray[Any]) -> "Rows":
        """Return some of the rows, by place."""
        return Rows(self.table.take(pa.array(rows)), self.customer[rows])


@dataclass(frozen=True)
class Numbered:
    """A history whose customers are numbered in the order in which they first appear among the applications."""

    customers: Rows
    orders: Rows
    applications: Rows
    instalments: Rows
    disbursed: Integers
    """When the loan of each instalment was disbursed; MISSING where it was not."""


def number(history: History) -> Numbered:
    """Return the history of those who applied; rows of other customers are left out."""
    ids = pc.unique(history.applications["customer_id"])
    applications = _theirs(history.applications, ids)
    loan = filled(_place(history.instalments["application_id"], history.applications["application_id"]), -1)
    instalments = history.instalments.filter(pa.array(loan >= 0))
    loan = loan[loan >= 0]
    return Numbered(
        customers=_theirs(history.customers, ids),
        orders=_theirs(history.orders, ids),
        applications=applications,
        instalments=Rows(instalments, applications.customer[loan]),
        disbursed=times(history.applications, "disbursed_at")[loan],
    )


def slices(history: History, most: int) -> list[History]:
    """Return the history in parts of at most so many customers that applied."""
    ids = pc.unique(history.applications["customer_id"])
    if len(ids) <= most:
        return [history]
    return [_only(history, ids[start : start + most]) for start in range(0, len(ids), most)]


def _only(history: History, ids: pa.Array) -> History:
    applications = history.applications.filter(pc.is_in(history.applications["customer_id"], value_set=ids))
    return History(history.customers, history.orders, applications, history.instalments)


def _theirs(table: pa.Table, ids: pa.Array) -> Rows:
    customer = filled(_place(table["customer_id"], ids), -1)
    if (customer >= 0).all():
        return Rows(table, customer)
    return Rows(table.filter(pa.array(customer >= 0)), customer[customer >= 0])


def _place(values: pa.ChunkedArray, among: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    known = among.combine_chunks() if isinstance(among, pa.ChunkedArray) else among
    return pc.index_in(values, value_set=known).cast(pa.int64())
