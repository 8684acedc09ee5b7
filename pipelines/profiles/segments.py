"""The rows of a part by the part of the business that they belong to."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.profiles.values import levels_in

MOST_SEGMENTS = 200
"""A column of more values says who, not in which part of the business."""


@dataclass(frozen=True)
class Segments:
    """The rows of a part by segment.

    `order` brings them together, None where there is one group; `names` has None for rows without a segment; `bounds`
    are where each begins, and where the last ends.
    """

    names: tuple[str | None, ...]
    order: NDArray[np.intp] | None
    bounds: tuple[int, ...]

    @classmethod
    def of(cls, table: pa.Table, segment: str | None) -> "Segments":
        """Return the groups of a part; all of it is one where no column tells segments apart."""
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
        """How many rows each group has."""
        return [high - low for low, high in pairwise(self.bounds)]

    def of_values(self, values: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield the values of each group."""
        together = values if self.order is None else values[self.order]
        return (together[low:high] for low, high in pairwise(self.bounds))
