"""A window as it is searched for faults: its counts, and how its rows came in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipelines.profiles.score_counts import ScoreCounts

Counts = NDArray[np.int64]
"""The counts of a column in the frozen bins of a reference, shape (bins,)."""

MISSING = 0
"""The index of the bin of missing values."""


@dataclass(frozen=True)
class Intake:
    """How the rows of a window came in.

    Attributes:
        rows: rows read, including quarantined ones, excluding those of other periods.
        quarantined: rows by the rule that they broke.
        fingerprints: fingerprints of the input files.
        last_month: the newest month (YYYY-MM) with data in the input, None where it is unknown.
    """

    rows: int
    quarantined: Mapping[str, int] = field(default_factory=dict)
    fingerprints: frozenset[str] = frozenset()
    last_month: str | None = None


@dataclass(frozen=True)
class Observed:
    """One window, or an earlier one.

    Attributes:
        period: the name, usually a month (YYYY-MM); names sort by time.
        rows: the number of decisions.
        counts: the counts of each column in the frozen bins of the reference, as FrozenBins.count.
        intake: how the rows came in, None where that is unknown.
        repeated: the share of rows that repeat others, from a sample of features (see `repeated_share`), None where
            that is unknown.
        scores: the exact counts of the score, in place of a sample of it.
        others: the number of decisions that other versions of the model made in it.
    """

    period: str
    rows: int
    counts: Mapping[str, NDArray[np.int64]]
    intake: Intake | None = None
    repeated: float | None = None
    scores: ScoreCounts | None = None
    others: int = 0

    @property
    def volume(self) -> int:
        """The number of decisions, whatever the version."""
        return self.rows + self.others


@dataclass(frozen=True)
class Searched:
    """What a window could be searched for, and the rows that were compared.

    `repeats`: its rows are distinct enough; `values`: some of them are stored; `volume`: earlier windows are known.
    """

    rows: int
    reference_rows: int
    repeats: bool
    values: bool
    volume: bool
