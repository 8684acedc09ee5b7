"""The row of the score log: each column is declared here once and written by batch and service alike.

To add a column append a `Column` to `COLUMNS`. A column never changes its meaning and is never removed; files written
before a column existed are read with its value for older files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

OWN = "own"
"""The client of a lender that scores its own applications."""

DECISION, SHADOW = "decision", "shadow"
"""The role of a row: a decision, or the score of a version that runs beside the champion and decides nothing."""


@dataclass(frozen=True)
class Decisions:
    """What a writer knows of n decisions: values that all of them share, and arrays of length n, by column."""

    rows: int
    shared: Mapping[str, object]
    by_row: Mapping[str, pa.Array | pa.ChunkedArray]

    def __getitem__(self, name: str) -> pa.Array | pa.ChunkedArray:
        """Return the values of a column that the writer knows, one per decision."""
        return self.by_row[name] if name in self.by_row else self.repeat(self.shared[name])

    def repeat(self, value: object, type_: pa.DataType | None = None) -> pa.Array:
        """Return a value once per decision, text as codes."""
        if value is None:
            return pa.nulls(self.rows, type_)
        if isinstance(value, str):
            return pa.DictionaryArray.from_arrays(self._zeros, pa.array([value]), safe=False)
        return pa.repeat(pa.scalar(value, type_), self.rows)

    @cached_property
    def _zeros(self) -> pa.Array:
        return pa.array(np.zeros(self.rows, dtype=np.int32))


@dataclass(frozen=True)
class Column:
    """A column of the score log.

    Its value comes from the writer; where the writer has none, from `value`, a function of all that the writer knows;
    where there is no function it is `default`. Files written before the column existed are read with `older`; a file
    without a column that `is_original` is damaged. `repeats` says that a column has few distinct values.
    """

    name: str
    type: pa.DataType
    value: Callable[[Decisions], pa.Array | pa.ChunkedArray] | None = None
    default: Any = None
    older: Any = None
    is_original: bool = False
    repeats: bool = True

    def array(self, decisions: Decisions) -> pa.Array | pa.ChunkedArray:
        """Return the values of the column, one per decision."""
        if self.name in decisions.by_row:
            return decisions.by_row[self.name]
        if self.name in decisions.shared:
            return decisions.repeat(decisions.shared[self.name], self.type)
        return self.value(decisions) if self.value else decisions.repeat(self.default, self.type)


def _original(name: str, type_: pa.DataType, *, repeats: bool = True) -> Column:
    return Column(name, type_, is_original=True, repeats=repeats)


COLUMNS: list[Column] = [
    _original("decision_id", pa.string(), repeats=False),
    _original("application_id", pa.string(), repeats=False),
    _original("customer_id", pa.string(), repeats=False),
    _original("population", pa.string()),
    _original("period", pa.string()),
    _original("decided_at", pa.timestamp("us", tz="UTC")),
    _original("model", pa.string()),
    _original("model_version", pa.int64()),
    _original("model_hash", pa.string()),
    _original("policy_hash", pa.string()),
    _original("raw_score", pa.float64(), repeats=False),
    _original("pd", pa.float64(), repeats=False),
    _original("points", pa.int64()),
    _original("band", pa.string()),
    _original("decision", pa.string()),
    _original("reasons", pa.list_(pa.string())),
    _original("segment", pa.string()),
    _original("input_fingerprint", pa.string()),
    Column("client", pa.string(), default=OWN, older=OWN),
    Column("role", pa.string(), default=DECISION),
    Column("segments", pa.list_(pa.string())),
]


def row_schema() -> pa.Schema:
    """Return the schema of a row of the score log."""
    return pa.schema([(column.name, column.type) for column in COLUMNS])


def log_rows(decisions: Decisions) -> pa.Table:
    """Return the rows of the log; few-valued texts are codes, and a column without nulls is declared so."""
    arrays = {column.name: column.array(decisions) for column in COLUMNS}
    fields = [pa.field(name, array.type, nullable=bool(array.null_count)) for name, array in arrays.items()]
    return pa.table(list(arrays.values()), schema=pa.schema(fields))


def with_later_columns(table: pa.Table) -> pa.Table:
    """Return rows of any version of the log with all columns of today, in order; further columns follow.

    Raises:
        ValueError: the rows lack a column that every version writes.
    """
    lacking = [column.name for column in COLUMNS if column.is_original and column.name not in table.column_names]
    if lacking:
        raise ValueError(f"it has no column {', '.join(lacking)}")
    for column in COLUMNS:
        if column.name not in table.column_names:
            table = table.append_column(column.name, pa.repeat(pa.scalar(column.older, column.type), len(table)))
    names = [column.name for column in COLUMNS]
    return table.select([*names, *(name for name in table.column_names if name not in names)])
