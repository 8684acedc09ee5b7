"""One column as a fault finder looks at it: in the reference, its months, the window, and the windows before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitoring.faults.observed import Observed
from pipelines.reference_profile import FrozenBins, ReferenceProfile

Counts = NDArray[np.int64]

MISSING = 0
"""The place of the bin of missing values."""


@dataclass(frozen=True)
class Column:
    """Counts in the frozen bins: of the reference, of its months (may be none), of the window and of earlier ones.

    `sample` holds some of the window's values, None where none were kept.
    """

    bins: FrozenBins
    reference: Counts
    months: Sequence[Counts]
    current: Counts
    earlier: Sequence[Counts]
    sample: pd.Series | None

    @property
    def name(self) -> str:
        """The name of the column."""
        return self.bins.column

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.bins.edges is not None

    @property
    def past(self) -> list[Counts]:
        """The reference, and its months where they are known: what is no news."""
        return [self.reference, *self.months]


def columns_of(
    reference: ReferenceProfile,
    months: Mapping[str, NDArray[np.int64]],
    window: Observed,
    sample: pd.DataFrame,
    earlier: Sequence[Observed],
) -> list[Column]:
    """Return the columns of the reference; one that the window does not count is missing in each of its rows."""
    return [
        Column(
            bins,
            np.asarray(reference.counts[bins.column], dtype=np.int64),
            [np.asarray(month) for month in months.get(bins.column, ()) if month.sum()],
            window.counts.get(bins.column, _all_missing(bins, window.rows)),
            [one.counts[bins.column] for one in earlier if bins.column in one.counts],
            sample.get(bins.column),
        )
        for bins in reference.bins
    ]


def share(counts: Counts, places: int | slice | Sequence[int]) -> float:
    """Return the share of all rows that lie in some bins, 0 of none."""
    return float(np.sum(counts[places]) / max(int(counts.sum()), 1))


def is_gradual(start: float, steps: Iterable[float], now: float) -> bool:
    """Return whether at least two of the earlier windows lie on the way: people change step by step, faults at once.

    >>> is_gradual(0.0, [0.0, 0.3, 0.6], 0.9), is_gradual(0.0, [0.0, 0.0, 0.9], 0.9), is_gradual(0.0, [0.5], 0.9)
    (True, False, False)
    """
    way = now - start
    return way != 0 and sum(0.1 < (step - start) / way < 0.9 for step in steps) >= 2


def errors_apart(hits: float, rows: float, known_hits: float, known_rows: float) -> float:
    """Return by how many standard errors the log odds of a share lie above those of a known one (Jeffreys' prior)."""
    cells = np.array([hits, rows - hits, known_hits, known_rows - known_hits], dtype=float) + 0.5
    return float(np.log(cells) @ [1, -1, -1, 1] / np.sqrt((1 / cells).sum()))


def odds_ratio(now: float, known: float) -> float:
    """Return the odds of one share over those of another; infinite from nothing to something."""
    odds, before = now / max(1 - now, 1e-12), known / max(1 - known, 1e-12)
    return odds / before if before else (np.inf if odds else 1.0)


def _all_missing(bins: FrozenBins, rows: int) -> Counts:
    counts = np.zeros(len(bins.labels), dtype=np.int64)
    counts[MISSING] = rows
    return counts
