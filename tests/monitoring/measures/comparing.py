"""Columns against a reference profile, without a score log."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from monitoring.measures.move import Move
from monitoring.measures.moves import compare
from monitoring.thresholds.settings import ThresholdSettings
from monitoring.thresholds.thresholds import Level
from monitoring.windows.references import Reference
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.reference_profile import ANY_TIME, ReferenceProfile
from pipelines.profiles.window_profile import WindowProfile, name_of_bins

Columns = Mapping[str, NDArray]  # type: ignore[type-arg]


def moves_of(profile: ReferenceProfile, columns: Columns) -> list[Move]:
    """Return the moves of columns, all of the same length."""
    counts = {one.column: one.count(columns[one.column]) for one in profile.bins}
    rows = len(next(iter(columns.values())))
    known = {one: np.array(found, dtype=np.int64) for one, found in profile.counts.items()}
    reference = Reference("a reference", profile, {ANY_TIME: Tally(profile.rows, known)}, {}, is_development=True)
    current = WindowProfile(name_of_bins(profile), Tally(rows, counts), {})
    return compare(reference, current, None, ThresholdSettings(), "2026-10")


def moved(profile: ReferenceProfile, columns: Columns) -> set[str]:
    """Return the columns that are watched or acted on."""
    return {one.column for one in moves_of(profile, columns) if one.judgement.level in (Level.WATCH, Level.ACT)}
