"""The rows of a table as its files have them, which every version of a model reads in its own way."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True)
class RawRows:
    """Some rows of a raw table: `positions`, shape (n,), are their places in it."""

    table: pa.Table
    positions: NDArray[np.intp]

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the rows, in the order of `rows`."""
        return type(self)(self.table, self.positions[rows])

    def columns(self, names: Iterable[str]) -> pa.Table:
        """Return some columns of the rows."""
        return self.table.select(list(names)).take(pa.array(self.positions))
