"""Rows to learn from or to judge on, as candidates take them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipelines.applications.meanings import Meaning
from pipelines.candidates.portable_model import Columns, columns_of
from pipelines.reading.special import Codes

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")


@dataclass(frozen=True)
class Sample:
    """Rows to learn from: columns as arrays of length n, outcomes (1 is bad), which are numbers, what they mean.

    `weights`, shape (n,), say how many rows each one counts for; None: each for one.
    `directions` are 1 for a numeric column whose larger numbers may only add to the log-odds of bad, and -1 for one
    whose larger numbers may only take from it; other columns have none.
    `blocks`, shape (n,), number the rows for averages, whose models leave one block out each (see `blocks`).
    `reading` is the record of how the columns were read, which travels with a model (see `ReadingContract`).
    """

    columns: Columns
    bad: NDArray[np.int8]
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    meanings: Mapping[str, Meaning] = field(default_factory=dict)
    weights: NDArray[np.float64] | None = None
    directions: Mapping[str, int] = field(default_factory=dict)
    blocks: NDArray[np.intp] | None = None
    reading: Mapping[str, Any] | None = None

    memo: dict[str, Any] = field(init=False, default_factory=dict, compare=False, repr=False)
    """What was made of these rows (see `once`)."""

    @property
    def special(self) -> Codes:
        """The special codes of columns (see `split_codes`)."""
        return {} if self.reading is None else self.reading["values"]["special"]

    @classmethod
    def of(
        cls,
        features: "pd.DataFrame",
        bad: NDArray[np.int8],
        numeric: Sequence[str],
        categorical: Sequence[str],
        meanings: Mapping[str, Meaning] | None = None,
        reading: Mapping[str, Any] | None = None,
    ) -> "Sample":
        """Return the sample of a frame of features."""
        columns = columns_of(features, numeric, categorical)
        return cls(columns, bad, tuple(numeric), tuple(categorical), meanings or {}, reading=reading)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what `make` makes of these rows, made at the first call for the name: a library's own encoding."""
        if name not in self.memo:
            self.memo[name] = make()
        made: T = self.memo[name]
        return made

    def take(self, rows: NDArray[np.intp]) -> "Sample":
        """Return some of the rows."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        weights = None if self.weights is None else self.weights[rows]
        blocks = None if self.blocks is None else self.blocks[rows]
        return replace(self, columns=columns, bad=self.bad[rows], weights=weights, blocks=blocks)
