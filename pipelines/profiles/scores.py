"""The exact counts of a score that is a whole number of points, with the PDs beside it."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from pipelines.profiles.passes import ScoredTable
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.score_counts import ScoreCounts

WIDEST = 100_000
"""From the least to the most points; of a score that spreads wider points are not counted one by one."""


def is_points(table: ScoredTable, roles: TableRoles) -> bool:
    """Return whether the score is a whole number in every file of a table."""
    kinds = [schema.field(roles.score).type for _, schema in table.schemas if roles.score in schema.names]
    return bool(kinds) and all(pt.is_integer(kind) and kind != pa.uint64() for kind in kinds)


def count_scores(points: NDArray[Any], pd: NDArray[Any] | None) -> ScoreCounts:
    """Return the exact counts of points, NaN left out; without PDs their sums are NaN."""
    known = ~np.isnan(points)
    whole = points[known].astype(np.int64)
    probability = np.full(len(whole), np.nan) if pd is None else pd[known].astype(np.float64)
    if len(whole) and int(whole.max()) - int(whole.min()) > WIDEST:
        return _by_sorting(whole, probability)
    return ScoreCounts.of(whole, probability)


def bounded(scores: ScoreCounts) -> ScoreCounts:
    """Return counts that are few enough to be kept, otherwise none."""
    return scores if len(scores.points) <= WIDEST else ScoreCounts()


def _by_sorting(points: NDArray[np.int64], pd: NDArray[np.float64]) -> ScoreCounts:
    """Count points that spread wide: a bin for each number between them would not fit."""
    values, places = np.unique(points, return_inverse=True)
    sums = np.bincount(places, weights=pd, minlength=len(values))
    return ScoreCounts(values, np.bincount(places, minlength=len(values)), sums.astype(np.float64))
