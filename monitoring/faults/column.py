"""The counts of one column that fault finders compare: the reference, its months, the window, the windows before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitoring.faults.observed import MISSING, Counts, Observed
from monitoring.faults.special_codes import amounts
from monitoring.faults.structural_gaps import columns_empty_at_zero, explained_gaps
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.missing_given import Gaps
from pipelines.profiles.reference_profile import SCORE, ReferenceProfile

MOST_OF_THE_WAY = 0.5
MOST_SAMPLED = 5_000


@dataclass(frozen=True)
class Column:
    """Counts in the frozen bins: of the reference, of its months (may be empty), of the window and of earlier windows.

    `sample` has some of the window's values, None where none were kept. `gaps` are those that other columns explain;
    `zero_is_none` is whether another column is empty wherever this one is 0 (`structural_gaps`).
    """

    bins: FrozenBins
    reference: Counts
    months: Sequence[Counts]
    current: Counts
    earlier: Sequence[Counts]
    sample: pd.Series | None
    gaps: Sequence[Gaps] = ()
    zero_is_none: bool = False

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
        """The reference, and its months where they are known."""
        return [self.reference, *self.months]


def columns_of(
    reference: ReferenceProfile,
    months: Mapping[str, NDArray[np.int64]],
    window: Observed,
    sample: pd.DataFrame,
    earlier: Sequence[Observed],
) -> list[Column]:
    """Return the columns of the reference; a column without counts in the window is missing in each of its rows.

    Of a column with special codes only its amounts are compared (see `special_codes`).
    """
    names = {bins.column for bins in reference.bins}
    empty_at_zero = columns_empty_at_zero(sample)
    gaps = explained_gaps(reference, window.counts, empty_at_zero)
    return [
        Column(
            bins,
            amounts(bins.column, np.asarray(reference.counts[bins.column]), names),
            [amounts(bins.column, month, names) for month in months.get(bins.column, ()) if month.sum()],
            amounts(bins.column, window.counts.get(bins.column, _all_missing(bins, window.rows)), names),
            [amounts(bins.column, one.counts[bins.column], names) for one in earlier if bins.column in one.counts],
            _sample_of_score(window) if bins.column == SCORE else _sample(bins, sample),
            gaps.get(bins.column, ()),
            bins.column in empty_at_zero.values(),
        )
        for bins in reference.bins
    ]


def share(counts: Counts, bin_index: int) -> float:
    """Return the share of all rows in a bin, 0 without rows."""
    return float(counts[bin_index] / max(int(counts.sum()), 1))


def is_gradual(start: float, steps: Sequence[float], now: float) -> bool:
    """Return whether a figure moved step by step: applicants change gradually, faults appear suddenly.

    At least two of the earlier windows are between `start` and `now`, and no single step makes most of the way.

    >>> is_gradual(0.0, [0.1, 0.3, 0.6], 0.9), is_gradual(0.0, [0.0, 0.0, 0.9], 0.9), is_gradual(0.0, [0.3, 0.3], 0.9)
    (True, False, False)
    """
    way = now - start
    if way == 0 or sum(0.25 < (step - start) / way < 0.9 for step in steps) < 2:
        return False
    return bool(max(np.diff([start, *steps, now]) / way) < MOST_OF_THE_WAY)


def errors_apart(hits: float, rows: float, hits_before: float, rows_before: float) -> float:
    """Return by how many standard errors two shares differ: the root of their deviance (G)."""
    counts = np.array([[hits, rows - hits], [hits_before, rows_before - hits_before]], dtype=float)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / max(counts.sum(), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(counts > 0, counts * np.log(counts / expected), 0.0)
    return float(np.sqrt(2 * max(terms.sum(), 0.0)))


def odds_ratio(now: float, before: float) -> float:
    """Return the odds of one share over those of another; infinite from zero to more."""
    odds, odds_before = now / max(1 - now, 1e-12), before / max(1 - before, 1e-12)
    return odds / odds_before if odds_before else (np.inf if odds else 1.0)


def _sample(bins: FrozenBins, sample: pd.DataFrame) -> pd.Series | None:
    """Return the sampled values of a column; of a numeric one as floats, where other values count as missing."""
    values = sample.get(bins.column)
    if values is None or bins.edges is None:
        return values
    return pd.to_numeric(values, errors="coerce").astype(float)


def _sample_of_score(window: Observed) -> pd.Series | None:
    """Return evenly spaced values of the sorted score, None where it was not counted point by point."""
    if window.scores is None or not len(window.scores):
        return None
    reached = np.cumsum(window.scores.rows)
    ranks = np.linspace(0, reached[-1] - 1, min(int(reached[-1]), MOST_SAMPLED)).astype(np.int64)
    return pd.Series(window.scores.points[np.searchsorted(reached, ranks, side="right")].astype(np.float64))


def _all_missing(bins: FrozenBins, rows: int) -> Counts:
    counts = np.zeros(len(bins.labels), dtype=np.int64)
    counts[MISSING] = rows
    return counts
