"""The ids of a person, and which rows of a table are theirs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.erasures.identity import DECIMAL_WHOLE, plain_id, whole_number

CUSTOMER, APPLICATION, DECISION = "customer_id", "application_id", "decision_id"
"""Columns that name a person, themselves or by what is theirs."""


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


def _is_one_of(column: pa.ChunkedArray, ids: Sequence[str]) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _is_one_of(column.cast(kind.value_type), ids)
    numbers = [number for one in ids if (number := whole_number(one)) is not None]
    if pa.types.is_integer(kind):
        return _among(column.cast(pa.int64(), safe=False), numbers)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _among(column.cast(pa.float64()), [float(one) for one in numbers if abs(one) < 2**53])
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        return _among(column, [])
    texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
    plain = pc.replace_substring_regex(texts, DECIMAL_WHOLE, r"\1")
    return _among(plain, [plain_id(one) for one in ids])


def _among(column: pa.ChunkedArray, ids: Sequence[object]) -> pa.ChunkedArray:
    if not ids:
        return pa.chunked_array([pa.array([False] * len(column), pa.bool_())])
    return pc.is_in(column, value_set=pa.array(ids, column.type))
