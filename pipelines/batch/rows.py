"""The columns of a part as the scorer reads them, and the rows that break the contract of a table of applications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Levels
from pipelines.candidates.raw_columns import levels_of, numbers_of, raw_names, read_columns
from pipelines.errors import DataError, nearest
from pipelines.profiles.dimensions import Dimension
from pipelines.reading.contract import ReadingContract
from pipelines.reading.special import code_columns
from pipelines.reading.texts import is_number
from pipelines.reading.times import check_years, times
from pipelines.reading.values import identities


@dataclass(frozen=True)
class BatchRoles:
    """Which column of an input is for what; numeric and categorical are those of the model.

    `contract` says how the model's columns are read.
    """

    id: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    time: str | None = None
    customer: str | None = None
    dimensions: tuple[Dimension, ...] = ()
    protected: tuple[str, ...] = ()
    contract: ReadingContract = field(default_factory=ReadingContract)

    def numbers(self, table: pa.Table, name: str) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Return a column as doubles, or as single precision where it is that, and which values are no numbers."""
        return numbers_of(table, name, self.contract)

    def levels(self, table: pa.Table, name: str) -> Levels:
        """Return a column as coded text, as the model learnt its levels."""
        return levels_of(table[name], self.contract.kind(name), self.contract.reading)

    @property
    def columns(self) -> list[str]:
        """Every column that is read, once."""
        single = [name for name in (self.time, self.customer) if name is not None]
        single += [dimension.name for dimension in self.dimensions]
        of_model = raw_names(self.contract, self.numeric, self.categorical)
        return list(dict.fromkeys([self.id, *single, *of_model, *self.protected]))

    @property
    def codes(self) -> dict[str, str]:
        """The column of numbers of each category of special codes."""
        return code_columns(self.contract.reading.special)

    @property
    def coded(self) -> list[str]:
        """The columns that are read as codes."""
        segments = (dimension.name for dimension in self.dimensions if dimension.edges is None)
        levels = (name for name in self.categorical if name not in self.codes)
        return [*levels, *self.protected, *segments]

    def check(self, file: str, schema: pa.Schema) -> None:
        """Raise DataError for a file that lacks a column, or holds one of a type that cannot be its role's."""
        for column in self.columns:
            if column not in schema.names:
                raise DataError(
                    f"'{file}' has no column '{column}', which the model or a data.* setting names; "
                    f"{nearest(column, schema.names)}"
                )
            if pt.is_nested(schema.field(column).type):
                raise DataError(_unfit(column, schema, file, "a plain value per row"))
        for column in (*self.numeric, *(one.name for one in self.dimensions if one.edges is not None)):
            if pt.is_temporal(schema.field(column).type):
                raise DataError(_unfit(column, schema, file, "numbers"))
        if self.time is None or self.contract.reading.date_format is not None:
            return
        if is_number(schema.field(self.time).type):
            raise DataError(_unfit(self.time, schema, file, "dates, or numbers whose format data.date_format declares"))


@dataclass(frozen=True)
class Rows:
    """The rows of a part, of length n: `columns` for the scorer, `ids` as text, and what is wrong with some.

    `broken` maps a rule to the rows that broke it, each row under the first one; `months` are those of the applications
    where a time is declared.
    """

    table: pa.Table
    columns: Mapping[str, Any]
    ids: pa.Array
    broken: Mapping[str, NDArray[np.intp]]
    months: NDArray[np.datetime64] | None

    @property
    def sound(self) -> NDArray[np.bool_] | None:
        """Which rows keep the contract; None when all do."""
        if not self.broken:
            return None
        is_sound = np.ones(len(self.table), dtype=bool)
        is_sound[np.concatenate(list(self.broken.values()))] = False
        return is_sound


def read_rows(table: pa.Table, roles: BatchRoles) -> Rows:
    """Return the columns of a part in the types of the scorer, with the values that `apply_contract` gives a frame."""
    wrong: list[tuple[str, NDArray[np.bool_]]] = []
    columns, odd = read_columns(table, roles.contract, roles.numeric, roles.categorical)
    for name, is_odd in odd.items():
        _note(wrong, f"'{name}' is not a number", is_odd)
    months, undated = (None, None) if roles.time is None else times(table[roles.time], roles.contract.reading)
    if months is not None and roles.time is not None:
        check_years(roles.time, months)
    _note(wrong, f"'{roles.time}' is not a date", undated)
    for name in roles.numeric:
        _note(wrong, f"'{name}' is infinite", np.isinf(columns[name]))
    ids = identities(table[roles.id])
    if ids.null_count:
        _note(wrong, f"'{roles.id}' is missing", ids.is_null().to_numpy(zero_copy_only=False))
    if months is not None:
        _note(wrong, f"'{roles.time}' is missing", np.isnat(months))
    months = None if months is None else months.astype("datetime64[M]")
    return Rows(table, columns, ids, _first_rules(wrong), months)


def segments_of(table: pa.Table, columns: Mapping[str, Any], roles: BatchRoles) -> dict[str, Levels]:
    """Return the segments of the rows of a table by dimension; `columns` are those of the scorer."""
    return {one.name: _segments_of(table, columns, one, roles) for one in roles.dimensions}


def _segments_of(table: pa.Table, columns: Mapping[str, Any], dimension: Dimension, roles: BatchRoles) -> Levels:
    values = columns.get(dimension.name)
    if dimension.edges is None:
        return values if isinstance(values, Levels) else roles.levels(table, dimension.name)
    return dimension.cut(roles.numbers(table, dimension.name)[0] if values is None else values)


def coded_array(levels: Levels) -> pa.Array:
    """Return coded text as Arrow's dictionary array."""
    codes = levels.codes.astype(np.int32, copy=False)
    indices = pa.array(codes, mask=codes < 0) if (codes < 0).any() else pa.array(codes)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(levels.names), pa.string()))


def _note(wrong: list[tuple[str, NDArray[np.bool_]]], rule: str, broken: NDArray[np.bool_] | None) -> None:
    if broken is not None and broken.any():
        wrong.append((rule, broken))


def _first_rules(wrong: Sequence[tuple[str, NDArray[np.bool_]]]) -> dict[str, NDArray[np.intp]]:
    """Return the rows of each rule, those left out that broke an earlier one."""
    by_rule: dict[str, NDArray[np.intp]] = {}
    broken_before: NDArray[np.bool_] | None = None
    for rule, broken in wrong:
        rows = np.flatnonzero(broken if broken_before is None else broken & ~broken_before)
        if len(rows):
            by_rule[rule] = rows
        broken_before = broken if broken_before is None else broken_before | broken
    return by_rule


def _unfit(column: str, schema: pa.Schema, file: str, required: str) -> str:
    return (
        f"column '{column}' of '{file}' has type {schema.field(column).type} and must hold {required}; convert it or "
        "change its role"
    )
