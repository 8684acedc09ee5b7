"""Freezes the bins of an external reference table: edges from a bounded sample, the rest from all rows.

The edges of bins need not be exact quantiles, the counts in them do: they are made in a second pass. At a sample of
200,000 rows an edge is within 0.2 percentage points of its quantile. A table that is no larger is sampled whole.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.profiles.column_names import profile_column
from pipelines.profiles.frozen_bins import LEAST_ROWS, FrozenBins
from pipelines.profiles.passes import PartOfTable, Pass, ScoredTable
from pipelines.profiles.reference_profile import SCORE
from pipelines.profiles.roles import TableColumns, TableRoles, columns_of
from pipelines.profiles.sampling import SampledRows, joined, sample_rows
from pipelines.profiles.unseen import without_singles
from pipelines.profiles.values import levels_in, numbers_in

MOST_SAMPLED = 200_000
"""Rows of the sample."""

MOST_SINGLES = 0.5
"""A text column in which a larger share of the rows has a value of its own is no feature."""

MOST_LEVELS = 20_000
"""A text column of more values is an identifier and no feature."""

Extremes = tuple[float, float] | None
"""The smallest and the largest finite number, None without one."""

Levels = Counter[str] | None
"""How many times each text occurs, None where there are more than MOST_LEVELS."""


@dataclass(frozen=True)
class Frozen:
    """Frozen bins, the score first; the sample that their edges are from; and why columns have no bins.

    The table's own rows are counted in `own_bins` (see `pipelines.profiles.unseen`). Levels that occur once are no more
    than half as many as rows.
    """

    bins: tuple[FrozenBins, ...]
    own_bins: tuple[FrozenBins, ...]
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
    summary = TableSummary()
    for part in one_pass(table, names, list(columns.categorical), partial(summarize_part, columns, rows)):
        summary.add(part)
    sample = joined(summary.samples, names)
    numeric = [_numeric(name, sample, summary.extremes.get(name)) for name in columns.numeric]
    levels = {name: summary.levels.get(name, Counter()) for name in columns.categorical}
    left_out = {name: why for name, times in levels.items() if (why := _reason_against(times, table.rows))}
    kinds = {name: times for name, times in levels.items() if times is not None and name not in left_out}
    score = replace(numeric[0], column=SCORE)
    coded = [FrozenBins.of_times(name, times, table.rows) for name, times in kinds.items()]
    own = [without_singles(one, kinds[one.column]) for one in coded]
    bins, own_bins = ((score, *map(_as_feature, [*numeric[1:], *some])) for some in (coded, own))
    return Frozen(bins, own_bins, sample, {**columns.left_out, **left_out})


def _as_feature(bins: FrozenBins) -> FrozenBins:
    return replace(bins, column=profile_column(bins.column))


def _numeric(name: str, sample: pa.Table, extremes: Extremes) -> FrozenBins:
    """Freeze bins at the finite sampled values, over the range of all.

    A column that is constant in the sample stays constant: a value rarer than that is news when it gets frequent.
    """
    values = numbers_in(sample[name]).astype(np.float64) if name in sample.column_names else np.empty(0)
    bins = FrozenBins.of_numbers(name, values[np.isfinite(values)])
    if extremes is None or (bins.lowest == bins.highest and np.isfinite(values).any()):
        return bins
    return replace(bins, lowest=extremes[0], highest=extremes[1])


def _reason_against(times: Counter[str] | None, rows: int) -> str | None:
    """Return why a text column is no feature, None where it is one."""
    if times is None:
        return f"holds more than {MOST_LEVELS:,} values"
    singles = sum(number == 1 for number in times.values())
    if singles > max(LEAST_ROWS, MOST_SINGLES * rows):
        return f"holds {singles:,} values that occur once in {rows:,} rows and looks like an identifier"
    return None


@dataclass(frozen=True)
class PartSummary:
    """The extremes, levels and sampled rows of one part, which begins at row `first`.

    Texts of more than MOST_LEVELS values are not in the sample.
    """

    first: int
    extremes: Mapping[str, Extremes]
    levels: Mapping[str, Levels]
    sample: pa.Table


@dataclass
class TableSummary:
    """The extremes, levels and sampled rows of all parts; it grows with the levels of a table, not with its rows."""

    extremes: dict[str, Extremes] = field(default_factory=dict)
    levels: dict[str, Levels] = field(default_factory=dict)
    samples: list[tuple[int, pa.Table]] = field(default_factory=list)

    def add(self, part: PartSummary) -> None:
        """Add a part."""
        for name, extremes in part.extremes.items():
            self.extremes[name] = _wider(self.extremes.get(name), extremes)
        for name, times in part.levels.items():
            self.levels[name] = _added(self.levels.get(name, Counter()), times)
        self.samples.append((part.first, part.sample))


def summarize_part(columns: TableColumns, rows: SampledRows, part: PartOfTable, table: pa.Table) -> PartSummary:
    """Return the summary of one part without the columns that it lacks."""
    here = set(table.column_names)
    extremes = {name: extremes_of(numbers_in(table[name])) for name in columns.numeric if name in here}
    levels = {name: _levels(table[name]) for name in columns.categorical if name in here}
    kept = [*extremes, *(name for name, times in levels.items() if times is not None)]
    return PartSummary(part.first, extremes, levels, rows.of_part(part, table.select(kept)))


def extremes_of(values: NDArray[Any]) -> Extremes:
    """Return the smallest and the largest finite number.

    >>> extremes_of(np.array([2.0, np.nan, -np.inf, 1.0])), extremes_of(np.array([np.inf]))
    ((1.0, 2.0), None)
    """
    if not len(values):
        return None
    low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    if not np.isfinite([low, high]).all():
        finite = values[np.isfinite(values)]
        return (float(finite.min()), float(finite.max())) if len(finite) else None
    return low, high


def _levels(column: pa.ChunkedArray) -> Levels:
    levels = levels_in(column)
    times = np.bincount(levels.codes[levels.codes >= 0], minlength=len(levels.names)).tolist()
    counts = Counter({name: number for name, number in zip(levels.names, times, strict=True) if number})
    return counts if len(counts) <= MOST_LEVELS else None


def _added(levels: Levels, others: Levels) -> Levels:
    if levels is None or others is None:
        return None
    levels.update(others)
    return levels if len(levels) <= MOST_LEVELS else None


def _wider(one: Extremes, other: Extremes) -> Extremes:
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])
