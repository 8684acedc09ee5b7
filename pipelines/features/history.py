"""The rows of the requested customers in the four tables, customers numbered from 0."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.features.columns import Integers, filled, times


@dataclass(frozen=True)
class History:
    """Clean tables of the contracts with all rows of the requested customers."""

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
    """A history whose customers are numbered in the order in which they first appear among the questions."""

    asked: Rows
    """The applications to compute features for: those of the history, or hypothetical ones."""
    customers: Rows
    orders: Rows
    applications: Rows
    instalments: Rows
    disbursed: Integers
    """When the loan of each instalment was disbursed; MISSING where it was not."""


def number(history: History, asked: pa.Table) -> Numbered:
    """Return the history of the customers of some applications; rows of other customers are left out."""
    ids = pc.unique(asked["customer_id"])
    applications = _theirs(history.applications, ids)
    loan = filled(_place(history.instalments["application_id"], applications.table["application_id"]), -1)
    instalments = history.instalments.filter(pa.array(loan >= 0))
    loan = loan[loan >= 0]
    return Numbered(
        asked=applications if asked is history.applications else _theirs(asked, ids),
        customers=_theirs(history.customers, ids),
        orders=_theirs(history.orders, ids),
        applications=applications,
        instalments=Rows(instalments, applications.customer[loan]),
        disbursed=times(applications.table, "disbursed_at")[loan],
    )


def slices(asked: pa.Table, most: int) -> list[pa.Table]:
    """Return applications in parts of at most so many customers."""
    ids = pc.unique(asked["customer_id"])
    if len(ids) <= most:
        return [asked]
    parts = [ids[start : start + most] for start in range(0, len(ids), most)]
    return [asked.filter(pc.is_in(asked["customer_id"], value_set=part)) for part in parts]


def _theirs(table: pa.Table, ids: pa.Array) -> Rows:
    customer = filled(_place(table["customer_id"], ids), -1)
    if (customer >= 0).all():
        return Rows(table, customer)
    return Rows(table.filter(pa.array(customer >= 0)), customer[customer >= 0])


def _place(values: pa.ChunkedArray, among: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    value_set = among.combine_chunks() if isinstance(among, pa.ChunkedArray) else among
    return pc.index_in(values, value_set=value_set).cast(pa.int64())
