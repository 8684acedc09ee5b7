"""The ids of a person, and which rows of a table are theirs.

An id is never changed: text is an id exactly as it is written, and a number is one in its digits. "7", "007", "7.0" and
" 7" are four ids; a column of numbers has only the first of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from pipelines.erasures.record import CUSTOMER
from pipelines.reading.values import EXACT, identities

APPLICATION, DECISION = "application_id", "decision_id"
"""Columns that name a person by what is theirs."""


@dataclass(frozen=True)
class Person:
    """The ids of one person, as text; `columns` are further names of columns that hold a customer's id."""

    customer: str
    applications: frozenset[str] = frozenset()
    decisions: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ()

    @property
    def customer_columns(self) -> tuple[str, ...]:
        """The columns that hold a customer's id."""
        return (CUSTOMER, *self.columns)

    def named_in(self, names: Iterable[str]) -> list[str]:
        """Return those of a table's columns that can name the person."""
        return [name for name in names if name in (CUSTOMER, APPLICATION, DECISION, *self.columns)]

    def rows_of(self, table: pa.Table) -> pa.ChunkedArray:
        """Return which rows are the person's, shape (n,).

        Where a row has a customer id, that decides; application and decision decide where it has none: two marketplaces
        may number their applications alike.
        """
        customers = [name for name in table.column_names if name in self.customer_columns]
        nobody = pa.chunked_array([pa.array([False] * len(table), pa.bool_())])
        theirs, unnamed = nobody, pc.invert(nobody)
        for name in customers:
            theirs = pc.or_(theirs, _is_one_of(table[name], (self.customer,)))
            unnamed = pc.and_(unnamed, pc.is_null(table[name]))
        for name, ids in ((APPLICATION, self.applications), (DECISION, self.decisions)):
            if name in table.column_names and ids:
                theirs = pc.or_(theirs, pc.and_(unnamed, _is_one_of(table[name], sorted(ids))))
        return theirs


def ids_of(column: pa.ChunkedArray) -> pa.Array:
    """Return the ids of a column as text (see `identities`), null for doubles too large to be an exact id."""
    if pt.is_floating(column.type):
        column = pc.if_else(pc.less(pc.abs(column), EXACT), column, pa.scalar(None, column.type))
    return identities(column)


def _is_one_of(column: pa.ChunkedArray, ids: Sequence[str]) -> pa.ChunkedArray:
    return pa.chunked_array([pc.is_in(ids_of(column), value_set=pa.array(ids, pa.string()))])
