"""What is known of a window when it is searched for faults: its counts, and how its rows came in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Intake:
    """How the rows of a window came in.

    Attributes:
        rows: read, quarantined ones included; those of other periods are not.
        quarantined: rows by the rule that they broke.
        fingerprints: of the input files.
        last_month: the newest month (YYYY-MM) of which the input knows anything, None where it does not tell.
    """

    rows: int
    quarantined: Mapping[str, int] = field(default_factory=dict)
    fingerprints: frozenset[str] = frozenset()
    last_month: str | None = None


@dataclass(frozen=True)
class Observed:
    """One window, or an earlier one.

    Attributes:
        period: its name, a month (YYYY-MM) where it is one; names sort as time does.
        rows: decisions in it.
        counts: of each column in the reference's frozen bins, as FrozenBins.count counts.
        intake: how its rows came in, None where that is not known.
        repeated: the share of rows that repeat others, from a sample of features (see `repeated_share`); None: unknown.
    """

    period: str
    rows: int
    counts: Mapping[str, NDArray[np.int64]]
    intake: Intake | None = None
    repeated: float | None = None
