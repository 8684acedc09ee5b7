"""Rows to learn from or to judge on, as candidates take them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.candidates import served


@dataclass(frozen=True)
class Sample:
    """Rows to learn from: columns as arrays of length n, outcomes (1 is bad), and which columns are numbers.

    `weights`, shape (n,), say how many rows each one counts for; None: each for one.
    """

    columns: served.Columns
    bad: NDArray[np.int8]
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    weights: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls, features: pd.DataFrame, bad: NDArray[np.int8], numeric: Sequence[str], categorical: Sequence[str]
    ) -> "Sample":
        """Return the sample of a frame of features."""
        return cls(served.columns_of(features, numeric, categorical), bad, tuple(numeric), tuple(categorical))

    def take(self, rows: NDArray[np.intp]) -> "Sample":
        """Return some of the rows."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        weights = None if self.weights is None else self.weights[rows]
        return Sample(columns, self.bad[rows], self.numeric, self.categorical, weights)
