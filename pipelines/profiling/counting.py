"""Counts a table that was scored elsewhere in frozen bins, overall and by segment, in one pass over it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.batch.counting import MOST_SEGMENTS
from pipelines.candidates.served import Levels
from pipelines.errors import DataError
from pipelines.fingerprint import fingerprint_record
from pipelines.profiling.passes import PartOfTable, Pass, ScoredTable
from pipelines.profiling.roles import EMPTY, LEVELS, NUMBERS, TableColumns, TableRoles, columns_of
from pipelines.profiling.sampling import SampledRows, joined, sample_rows
from pipelines.profiling.values import levels_in, numbers_in
from pipelines.reference_profile import SCORE, FrozenBins
from pipelines.window_profile import Tally, WindowProfile


@dataclass(frozen=True)
class Counted:
    """The counts of a table, a bounded sample of its rows, and the columns in which it and the bins differ.

    Columns of the bins that are `absent` are counted as missing in every row; `unknown` ones have no bins and are not
    counted.
    """

    profile: WindowProfile
    sample: pa.Table
    absent: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Counting:
    """What is counted: bins by the column that they count, and the columns of the roles."""

    bins: Mapping[str, FrozenBins]
    roles: TableRoles
    name: str
    absent: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def numeric(self) -> list[str]:
        """Columns that are counted as numbers."""
        return [column for column, bins in self.bins.items() if bins.edges is not None]

    @property
    def coded(self) -> list[str]:
        """Columns that are counted as text."""
        by_name = (self.roles.segment, self.roles.band, self.roles.decision)
        told = [column for column, bins in self.bins.items() if bins.edges is None]
        return [*told, *(column for column in by_name if column is not None)]


def counting_of(table: ScoredTable, bins: Sequence[FrozenBins], roles: TableRoles) -> Counting:
    """Return what is counted of a table.

    Raises:
        DataError: a role names no column; a column holds numbers where its bins are of levels, or the reverse.
    """
    codes = tuple(one.column for one in bins if one.edges is None)
    columns = columns_of(table.schemas, _with_codes(table, roles, codes))
    by_column = {roles.score if one.column == SCORE else one.column: one for one in bins}
    for column, one in by_column.items():
        _check_kind(column, one, columns, table)
    held = {name for _, schema in table.schemas for name in schema.names}
    return Counting(
        by_column,
        roles,
        name_of(bins),
        absent=tuple(column for column in by_column if column not in held),
        unknown=tuple(name for name in (*columns.numeric, *columns.categorical) if name not in by_column),
    )


def name_of(bins: Sequence[FrozenBins]) -> str:
    """Return a name that two profiles share when they count in the same bins, as `name_of_bins` gives it."""
    return fingerprint_record([[one.column, one.levels, one.rare, one.lowest, one.highest, one.edges] for one in bins])


def count_table(
    table: ScoredTable, bins: Sequence[FrozenBins], roles: TableRoles, one_pass: Pass, *, most_sampled: int = 0
) -> Counted:
    """Return the counts of a table in bins that were frozen before, in one pass over it, in memory for a few parts.

    Raises:
        DataError: a role names no column; a column is of another kind than its bins; too many segments.
    """
    counting = counting_of(table, bins, roles)
    columns = list(dict.fromkeys([*counting.numeric, *counting.coded]))
    rows = sample_rows(table.rows, most_sampled)
    profile = WindowProfile(counting.name, nothing(bins), {})
    samples = []
    for part in one_pass(table, columns, counting.coded, partial(count_part, counting, rows)):
        profile += part.profile
        check_segments(profile.segments, roles)
        samples.append((part.first, part.sample))
    return Counted(profile, joined(samples, columns), counting.absent, counting.unknown)


@dataclass(frozen=True)
class Part:
    """The counts of one part, and its sampled rows."""

    first: int
    profile: WindowProfile
    sample: pa.Table


def count_part(counting: Counting, rows: SampledRows, part: PartOfTable, table: pa.Table) -> Part:
    """Return the counts of one part."""
    segments = _Segments.of(table, counting.roles.segment)
    tallies = [Tally(rows=size) for size in segments.sizes]
    for column, bins in counting.bins.items():
        for tally, counts in zip(tallies, _counts(table, column, bins, segments), strict=True):
            tally.columns[bins.column] = counts
    for kind, named in (("bands", counting.roles.band), ("decisions", counting.roles.decision)):
        if named is not None:
            for tally, counter in zip(tallies, _named(table, named, segments), strict=True):
                setattr(tally, kind, counter)
    found = dict(zip(segments.names, tallies, strict=True))
    overall = sum(tallies, Tally())
    profile = WindowProfile(counting.name, overall, {name: one for name, one in found.items() if name is not None})
    return Part(part.first, profile, rows.of_part(part, table))


def nothing(bins: Sequence[FrozenBins]) -> Tally:
    """Return the counts of no rows at all."""
    return Tally(columns={one.column: np.zeros(len(one.labels), dtype=np.int64) for one in bins})


def check_segments(found: Mapping[str, Tally], roles: TableRoles) -> None:
    """Raise DataError for a column of too many segments."""
    if len(found) > MOST_SEGMENTS:
        raise DataError(
            f"a segment must tell at most {MOST_SEGMENTS} parts of the business apart, '{roles.segment}' holds more "
            f"(such as '{next(iter(found))}'); name a coarser column"
        )


@dataclass(frozen=True)
class _Segments:
    """The rows of a part by segment: `order` brings them together, None where there is one group; `names` has None
    for rows without a segment, `bounds` are where each begins and the last ends."""

    names: tuple[str | None, ...]
    order: NDArray[np.intp] | None
    bounds: tuple[int, ...]

    @classmethod
    def of(cls, table: pa.Table, segment: str | None) -> "_Segments":
        if segment is None or segment not in table.column_names:
            return cls((None,), None, (0, len(table)))
        levels = levels_in(table[segment])
        order = np.argsort(levels.codes, kind="stable")
        bounds = np.searchsorted(levels.codes[order], np.arange(-1, len(levels.names) + 1)).tolist()
        kept = [place for place, (low, high) in enumerate(pairwise(bounds)) if low < high]
        names: list[str | None] = [None, *levels.names]
        return cls(tuple(names[place] for place in kept), order, (*(bounds[place] for place in kept), len(table)))

    @property
    def sizes(self) -> list[int]:
        return [high - low for low, high in pairwise(self.bounds)]

    def of_values(self, values: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield the values of each group."""
        together = values if self.order is None else values[self.order]
        return (together[low:high] for low, high in pairwise(self.bounds))


def _counts(table: pa.Table, column: str, bins: FrozenBins, segments: _Segments) -> Iterator[NDArray[np.int64]]:
    if column not in table.column_names:
        return (_all_missing(bins, size) for size in segments.sizes)
    if bins.edges is not None:
        return map(bins.count, segments.of_values(numbers_in(table[column])))
    levels = levels_in(table[column])
    return (
        bins.count_levels(times, size - sum(times.values()))
        for size, times in zip(segments.sizes, _times(levels, segments), strict=True)
    )


def _named(table: pa.Table, column: str, segments: _Segments) -> Iterator[Counter[str]]:
    if column not in table.column_names:
        return (Counter() for _ in segments.sizes)
    return _times(levels_in(table[column]), segments)


def _times(levels: Levels, segments: _Segments) -> Iterator[Counter[str]]:
    """Yield how many times each level occurs in each group."""
    for codes in segments.of_values(levels.codes):
        times = np.bincount(codes[codes >= 0], minlength=len(levels.names)).tolist()
        yield Counter({name: number for name, number in zip(levels.names, times, strict=True) if number})


def _all_missing(bins: FrozenBins, rows: int) -> NDArray[np.int64]:
    counts = np.zeros(len(bins.labels), dtype=np.int64)
    counts[0] = rows
    return counts


def _with_codes(table: ScoredTable, roles: TableRoles, codes: Sequence[str]) -> TableRoles:
    """Return roles by which numbers are codes where the bins are of levels."""
    here = {name for _, schema in table.schemas for name in schema.names}
    by_name = [name for name in (roles.segment, roles.band, roles.decision) if name is not None]
    return TableRoles(
        roles.score, roles.segment, roles.band, roles.decision, tuple(sorted({*codes, *by_name} & here)), roles.ignored
    )


def _check_kind(column: str, bins: FrozenBins, columns: TableColumns, table: ScoredTable) -> None:
    wanted, others = (NUMBERS, columns.categorical) if bins.edges is not None else (LEVELS, columns.numeric)
    if column in others or columns.left_out.get(column, EMPTY) != EMPTY:
        held = columns.left_out.get(column, f"holds {LEVELS if wanted == NUMBERS else NUMBERS}")
        raise DataError(
            f"a column is compared with its own kind, '{column}' of the reference is {wanted}, in '{table.path}' it "
            f"{held}; write it as in the reference"
        )
