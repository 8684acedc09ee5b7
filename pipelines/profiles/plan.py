"""Matches the columns of a table with bins and roles, and checks that they can be counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.types as pt

from pipelines.errors import DataError
from pipelines.profiles.column_names import feature_named
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.passes import ScoredTable
from pipelines.profiles.reference_profile import SCORE
from pipelines.profiles.roles import EMPTY, LEVELS, NUMBERS, TableColumns, TableRoles, columns_of
from pipelines.profiles.window_profile import name_of


@dataclass(frozen=True)
class Counting:
    """Bins by the column that they count, and the columns of the roles.

    `has_points`: the score is a whole number, which is counted exactly too.
    """

    bins: Mapping[str, FrozenBins]
    roles: TableRoles
    name: str
    has_points: bool
    absent: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def numeric(self) -> list[str]:
        """Columns that are counted as numbers."""
        counted = [column for column, bins in self.bins.items() if bins.edges is not None]
        cut = [one.name for one in self.roles.segments if one.edges is not None]
        return [*counted, *cut, *([self.roles.pd] if self.roles.pd is not None else [])]

    @property
    def coded(self) -> list[str]:
        """Columns that are counted as text."""
        by_name = (*self.roles.coded_segments, self.roles.band, self.roles.decision)
        categorical = [column for column, bins in self.bins.items() if bins.edges is None]
        return [*categorical, *(column for column in by_name if column is not None)]


def counting_of(table: ScoredTable, bins: Sequence[FrozenBins], roles: TableRoles) -> Counting:
    """Return what is counted of a table.

    Raises:
        DataError: a role names no column; a column holds numbers where its bins are of levels, or the reverse.
    """
    codes = tuple(feature_named(one.column) for one in bins if one.edges is None)
    columns = columns_of(table.schemas, _with_codes(table, roles, codes))
    by_column = {roles.score if one.column == SCORE else feature_named(one.column): one for one in bins}
    for column, one in by_column.items():
        _check_kind(column, one, columns, table)
    held = {name for _, schema in table.schemas for name in schema.names}
    return Counting(
        by_column,
        roles,
        name_of(tuple(bins)),
        has_points=_is_points(table, roles),
        absent=tuple(column for column in by_column if column not in held),
        unknown=tuple(name for name in (*columns.numeric, *columns.categorical) if name not in by_column),
    )


def _with_codes(table: ScoredTable, roles: TableRoles, codes: Sequence[str]) -> TableRoles:
    """Return roles in which numbers are codes where the bins are of levels."""
    here = {name for _, schema in table.schemas for name in schema.names}
    by_name = [name for name in (*roles.coded_segments, roles.band, roles.decision) if name is not None]
    return replace(roles, categorical=tuple(sorted({*codes, *by_name} & here)))


def _check_kind(column: str, bins: FrozenBins, columns: TableColumns, table: ScoredTable) -> None:
    expected, others = (NUMBERS, columns.categorical) if bins.edges is not None else (LEVELS, columns.numeric)
    if column in others or columns.left_out.get(column, EMPTY) != EMPTY:
        held = columns.left_out.get(column, f"holds {LEVELS if expected == NUMBERS else NUMBERS}")
        raise DataError(
            f"column '{column}' has {expected} in the reference, and in '{table.path}' it {held}; write it as in the "
            f"reference"
        )


def _is_points(table: ScoredTable, roles: TableRoles) -> bool:
    """Return whether the score is a whole number in every file of a table."""
    kinds = [schema.field(roles.score).type for _, schema in table.schemas if roles.score in schema.names]
    return bool(kinds) and all(pt.is_integer(kind) and kind != pa.uint64() for kind in kinds)
