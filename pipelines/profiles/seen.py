"""What is seen of a table before its bins are frozen: extremes, levels and sampled rows, part by part."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.profiles.passes import PartOfTable
from pipelines.profiles.roles import TableColumns
from pipelines.profiles.sampling import SampledRows
from pipelines.profiles.values import levels_in, numbers_in

MOST_LEVELS = 20_000
"""A text column of more values says who, not what kind: it is no feature."""

Extremes = tuple[float, float] | None
"""The least and the largest finite number, None where there is none."""

Levels = Counter[str] | None
"""How many times each text occurs, None where there are more than MOST_LEVELS."""


@dataclass(frozen=True)
class Seen:
    """What one part holds: the extremes of its numbers, its levels, and its sampled rows from row `first` on.

    Texts of more than MOST_LEVELS values are not in the sample.
    """

    first: int
    extremes: Mapping[str, Extremes]
    levels: Mapping[str, Levels]
    sample: pa.Table


@dataclass
class SeenTable:
    """What the parts hold together; it grows with the levels of a table, not with its rows."""

    extremes: dict[str, Extremes] = field(default_factory=dict)
    levels: dict[str, Levels] = field(default_factory=dict)
    samples: list[tuple[int, pa.Table]] = field(default_factory=list)

    def add(self, part: Seen) -> None:
        """Add what a part holds."""
        for name, found in part.extremes.items():
            self.extremes[name] = _wider(self.extremes.get(name), found)
        for name, times in part.levels.items():
            self.levels[name] = _added(self.levels.get(name, Counter()), times)
        self.samples.append((part.first, part.sample))


def see_part(columns: TableColumns, rows: SampledRows, part: PartOfTable, table: pa.Table) -> Seen:
    """Return what one part holds; columns that it lacks hold nothing."""
    here = set(table.column_names)
    extremes = {name: extremes_of(numbers_in(table[name])) for name in columns.numeric if name in here}
    levels = {name: _levels(table[name]) for name in columns.categorical if name in here}
    kept = [*extremes, *(name for name, times in levels.items() if times is not None)]
    return Seen(part.first, extremes, levels, rows.of_part(part, table.select(kept)))


def extremes_of(values: NDArray[Any]) -> Extremes:
    """Return the least and the largest finite number.

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
    found = Counter({name: number for name, number in zip(levels.names, times, strict=True) if number})
    return found if len(found) <= MOST_LEVELS else None


def _added(known: Levels, found: Levels) -> Levels:
    if known is None or found is None:
        return None
    known.update(found)
    return known if len(known) <= MOST_LEVELS else None


def _wider(known: Extremes, found: Extremes) -> Extremes:
    if known is None or found is None:
        return known or found
    return min(known[0], found[0]), max(known[1], found[1])
