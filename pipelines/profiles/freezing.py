"""Freezes the bins of a reference that was scored elsewhere: edges from a bounded sample, the rest from all rows.

The edges of bins need not be exact quantiles, the counts in them do: they are made in a second pass. At a sample of
200,000 rows an edge lies within 0.2 percentage points of its quantile. A table that is no larger is sampled whole.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa

from pipelines.profiles.passes import Pass, ScoredTable
from pipelines.profiles.reference_profile import LEAST_ROWS, LEAST_SHARE, SCORE, FrozenBins
from pipelines.profiles.roles import TableRoles, columns_of
from pipelines.profiles.sampling import joined, sample_rows
from pipelines.profiles.seen import MOST_LEVELS, Extremes, SeenTable, see_part
from pipelines.profiles.values import numbers_in

MOST_SAMPLED = 200_000
"""Rows whose values are held at a time."""

MOST_SINGLES = 0.5
"""Where a larger share of the rows has a text alone, texts are no feature."""


@dataclass(frozen=True)
class Frozen:
    """Frozen bins, the score first; the sample that their edges are from; and why columns have no bins.

    `bins_without_singles` do not know the levels that occur once, of which there are no more than half as many as rows.
    """

    bins: tuple[FrozenBins, ...]
    bins_without_singles: tuple[FrozenBins, ...]
    sample: pa.Table
    left_out: Mapping[str, str]


def freeze_bins(table: ScoredTable, roles: TableRoles, one_pass: Pass, *, most_sampled: int = MOST_SAMPLED) -> Frozen:
    """Return the bins of the score and of each feature of a table, in one pass over it.

    Raises:
        DataError: a role names no column, or one of the wrong kind.
    """
    columns = columns_of(table.schemas, roles)
    rows = sample_rows(table.rows, most_sampled)
    names = [*columns.numeric, *columns.categorical]
    seen = SeenTable()
    for part in one_pass(table, names, list(columns.categorical), partial(see_part, columns, rows)):
        seen.add(part)
    sample = joined(seen.samples, names)
    numeric = [_numeric(name, sample, seen.extremes.get(name)) for name in columns.numeric]
    levels = {name: seen.levels.get(name, Counter()) for name in columns.categorical}
    left_out = {name: why for name, times in levels.items() if (why := _why_not(times, table.rows))}
    known = {name: times for name, times in levels.items() if times is not None and name not in left_out}
    score = replace(numeric[0], column=SCORE)
    all_of, some_of = (
        (score, *numeric[1:], *(_categorical(name, times, table.rows, least) for name, times in known.items()))
        for least in (1, 2)
    )
    return Frozen(all_of, some_of, sample, {**columns.left_out, **left_out})


def _numeric(name: str, sample: pa.Table, extremes: Extremes) -> FrozenBins:
    """Freeze bins at the finite sampled values, over the range of all.

    A column that is constant in the sample stays constant: a value rarer than that is news when it gets frequent.
    """
    values = numbers_in(sample[name]).astype(np.float64) if name in sample.column_names else np.empty(0)
    bins = FrozenBins.of_numbers(name, values[np.isfinite(values)])
    if extremes is None or (bins.lowest == bins.highest and np.isfinite(values).any()):
        return bins
    return replace(bins, lowest=extremes[0], highest=extremes[1])


def _categorical(name: str, times: Counter[str], rows: int, least: int) -> FrozenBins:
    """Freeze bins as `FrozenBins.of_levels` does, from how many times each level occurs, at least so many times."""
    enough = max(LEAST_ROWS, LEAST_SHARE * rows)
    frequent = {level for level, number in times.items() if number >= enough}
    rare = {level for level, number in times.items() if number >= least} - frequent
    return FrozenBins(name, levels=tuple(sorted(frequent)), rare=tuple(sorted(rare)))


def _why_not(times: Counter[str] | None, rows: int) -> str | None:
    """Return why a column's levels are no kinds, None where they are."""
    if times is None:
        return f"holds more than {MOST_LEVELS:,} values"
    singles = sum(number == 1 for number in times.values())
    if singles > max(LEAST_ROWS, MOST_SINGLES * rows):
        return f"holds {singles:,} values that occur once in {rows:,} rows and looks like an identifier"
    return None
