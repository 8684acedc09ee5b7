"""Counts a table in frozen bins, overall and by segment, in one pass over it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Levels
from pipelines.errors import DataError
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.dimensions import Dimension, bare_name, segment_name
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.passes import PartOfTable, Pass, ScoredTable
from pipelines.profiles.plan import Counting, counting_of
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.sampling import SampledRows, joined, sample_rows
from pipelines.profiles.score_counts import ScoreCounts, bounded, count_scores
from pipelines.profiles.segments import MOST_SEGMENTS, Segments
from pipelines.profiles.values import levels_in, numbers_in
from pipelines.profiles.window_profile import WindowProfile


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
    profile = without_wide_scores(profile)
    return Counted(profile, joined(samples, columns), counting.absent, counting.unknown)


@dataclass(frozen=True)
class Part:
    """The counts of one part, and its sampled rows."""

    first: int
    profile: WindowProfile
    sample: pa.Table


def count_part(counting: Counting, rows: SampledRows, part: PartOfTable, table: pa.Table) -> Part:
    """Return the counts of one part."""
    by_dimension = [_tallies(counting, table, one) for one in counting.roles.segments or (None,)]
    overall = sum(by_dimension[0].values(), Tally())
    segments = {name: tally for one in by_dimension for name, tally in one.items() if name is not None}
    return Part(part.first, WindowProfile(counting.name, overall, segments), rows.of_part(part, table))


def _tallies(counting: Counting, table: pa.Table, dimension: Dimension | None) -> dict[str | None, Tally]:
    """Return the counts of a part by the segments of a dimension; rows without a segment are under None."""
    segments = Segments.of(table, dimension)
    tallies = [Tally(rows=size) for size in segments.sizes]
    for column, bins in counting.bins.items():
        for tally, counts in zip(tallies, _counts(table, column, bins, segments), strict=True):
            tally.columns[bins.column] = counts
    for kind, named in (("bands", counting.roles.band), ("decisions", counting.roles.decision)):
        if named is not None:
            for tally, counter in zip(tallies, _named(table, named, segments), strict=True):
                setattr(tally, kind, counter)
    if counting.has_points:
        for tally, scores in zip(tallies, _scores(table, counting.roles, segments), strict=True):
            tally.scores = scores
    return dict(zip(segments.names, tallies, strict=True))


def nothing(bins: Sequence[FrozenBins]) -> Tally:
    """Return the counts of no rows."""
    return Tally(columns={one.column: np.zeros(len(one.labels), dtype=np.int64) for one in bins})


def without_wide_scores(profile: WindowProfile) -> WindowProfile:
    """Return a profile without exact counts where points have too many values."""
    if len(bounded(profile.overall.scores)) == len(profile.overall.scores):
        return profile
    segments = {name: replace(tally, scores=ScoreCounts()) for name, tally in profile.segments.items()}
    return WindowProfile(profile.bins, replace(profile.overall, scores=ScoreCounts()), segments)


def check_segments(segments: Mapping[str, Tally], roles: TableRoles) -> None:
    """Raise DataError for a dimension of too many segments."""
    for one in roles.segments:
        names = [name for name in segments if name.startswith(segment_name(one.name, ""))]
        if len(names) > MOST_SEGMENTS:
            raise DataError(
                f"table.segments names '{one.name}', which has more than {MOST_SEGMENTS} values (such as "
                f"'{bare_name(names[0])}'); name a coarser column, or cut numbers into bands with "
                f"table.segment_bands.{one.name}=[...]"
            )


def _counts(table: pa.Table, column: str, bins: FrozenBins, segments: Segments) -> Iterator[NDArray[np.int64]]:
    if column not in table.column_names:
        return (_all_missing(bins, size) for size in segments.sizes)
    if bins.edges is not None:
        return map(bins.count, segments.of_values(numbers_in(table[column])))
    levels = levels_in(table[column])
    return (
        bins.count_levels(times, size - sum(times.values()))
        for size, times in zip(segments.sizes, _times(levels, segments), strict=True)
    )


def _scores(table: pa.Table, roles: TableRoles, segments: Segments) -> Iterator[ScoreCounts]:
    if roles.score not in table.column_names:
        return (ScoreCounts() for _ in segments.sizes)
    points = segments.of_values(numbers_in(table[roles.score]))
    if roles.pd is None or roles.pd not in table.column_names:
        return (count_scores(one, None) for one in points)
    return map(count_scores, points, segments.of_values(numbers_in(table[roles.pd])))


def _named(table: pa.Table, column: str, segments: Segments) -> Iterator[Counter[str]]:
    if column not in table.column_names:
        return (Counter() for _ in segments.sizes)
    return _times(levels_in(table[column]), segments)


def _times(levels: Levels, segments: Segments) -> Iterator[Counter[str]]:
    for codes in segments.of_values(levels.codes):
        times = np.bincount(codes[codes >= 0], minlength=len(levels.names)).tolist()
        yield Counter({name: number for name, number in zip(levels.names, times, strict=True) if number})


def _all_missing(bins: FrozenBins, rows: int) -> NDArray[np.int64]:
    counts = np.zeros(len(bins.labels), dtype=np.int64)
    counts[0] = rows
    return counts
