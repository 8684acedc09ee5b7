"""One column as a fault finder looks at it: in the reference, its months, the window, and the windows before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitoring.faults.observed import Observed
from pipelines.profiles.reference_profile import FrozenBins, ReferenceProfile

Counts = NDArray[np.int64]

MISSING = 0
"""The place of the bin of missing values."""

MOST_OF_THE_WAY = 0.5


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
            _sample(bins, sample),
        )
        for bins in reference.bins
    ]


def share(counts: Counts, places: int | slice | Sequence[int]) -> float:
    """Return the share of all rows that lie in some bins, 0 of none."""
    return float(np.sum(counts[places]) / max(int(counts.sum()), 1))


def is_gradual(start: float, steps: Sequence[float], now: float) -> bool:
    """Return whether the earlier windows led here: people change step by step, faults at once.

    At least two of them lie on the way, and no step from one to the next makes most of it.

    >>> is_gradual(0.0, [0.1, 0.3, 0.6], 0.9), is_gradual(0.0, [0.0, 0.0, 0.9], 0.9), is_gradual(0.0, [0.3, 0.3], 0.9)
    (True, False, False)
    """
    way = now - start
    if way == 0 or sum(0.25 < (step - start) / way < 0.9 for step in steps) < 2:
        return False
    return bool(max(np.diff([start, *steps, now]) / way) < MOST_OF_THE_WAY)


def errors_apart(hits: float, rows: float, known_hits: float, known_rows: float) -> float:
    """Return by how many standard errors a share lies from a known one: the root of their deviance (G)."""
    found = np.array([[hits, rows - hits], [known_hits, known_rows - known_hits]], dtype=float)
    expected = found.sum(axis=1, keepdims=True) * found.sum(axis=0) / max(found.sum(), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(found > 0, found * np.log(found / expected), 0.0)
    return float(np.sqrt(2 * max(terms.sum(), 0.0)))


def odds_ratio(now: float, known: float) -> float:
    """Return the odds of one share over those of another; infinite from nothing to something."""
    odds, before = now / max(1 - now, 1e-12), known / max(1 - known, 1e-12)
    return odds / before if before else (np.inf if odds else 1.0)


def _sample(bins: FrozenBins, sample: pd.DataFrame) -> pd.Series | None:
    """Return a column's values that were kept, as floats or as they are; what is no number counts as missing."""
    values = sample.get(bins.column)
    if values is None or bins.edges is None:
        return values
    return pd.to_numeric(values, errors="coerce").astype(float)


def _all_missing(bins: FrozenBins, rows: int) -> Counts:
    counts = np.zeros(len(bins.labels), dtype=np.int64)
    counts[MISSING] = rows
    return counts
