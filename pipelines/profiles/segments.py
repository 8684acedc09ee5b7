"""Groups the rows of a part of a table by segment."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.profiles.dimensions import Dimension, segment_name
from pipelines.profiles.values import levels_in, numbers_in

MOST_SEGMENTS = 200
"""A column of more values identifies people instead of parts of the business."""


@dataclass(frozen=True)
class Segments:
    """The rows of a part by segment.

    `order` sorts the rows by segment, None where there is one group; `names` has None for rows without a segment;
    `bounds` are where each group begins and where the last one ends.
    """

    names: tuple[str | None, ...]
    order: NDArray[np.intp] | None
    bounds: tuple[int, ...]

    @classmethod
    def of(cls, table: pa.Table, dimension: Dimension | None) -> "Segments":
        """Return the groups of a part by the values of a dimension; without the dimension all of it is one group."""
        if dimension is None or dimension.name not in table.column_names:
            return cls((None,), None, (0, len(table)))
        column = table[dimension.name]
        levels = levels_in(column) if dimension.edges is None else dimension.cut(numbers_in(column))
        order = np.argsort(levels.codes, kind="stable")
        bounds = np.searchsorted(levels.codes[order], np.arange(-1, len(levels.names) + 1)).tolist()
        kept = [number for number, (low, high) in enumerate(pairwise(bounds)) if low < high]
        names: list[str | None] = [None, *(segment_name(dimension.name, value) for value in levels.names)]
        return cls(tuple(names[number] for number in kept), order, (*(bounds[number] for number in kept), len(table)))

    @property
    def sizes(self) -> list[int]:
        """How many rows each group has."""
        return [high - low for low, high in pairwise(self.bounds)]

    def of_values(self, values: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield the values of each group."""
        together = values if self.order is None else values[self.order]
        return (together[low:high] for low, high in pairwise(self.bounds))
