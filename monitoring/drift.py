"""Which columns of a window moved further from the reference than noise can explain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.settings import AlarmSettings
from pipelines.credit.stability import noise_limit, population_stability_index
from pipelines.reference_profile import SCORE, FrozenBins, ReferenceProfile


class Verdict(Enum):
    """What the on-call engineer has to do."""

    STABLE = "stable"
    ACT = "act"


@dataclass(frozen=True)
class Finding:
    """How far one column of the window lies from the reference, and how far noise alone would reach.

    `labels`, `reference` and `current` name and count the frozen bins, in order, all of the same length.
    """

    column: str
    is_score: bool
    psi: float
    limit: float
    labels: tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]

    @property
    def alarmed(self) -> bool:
        """Whether the column moved beyond its limit."""
        return self.psi > self.limit


def find_drift(profile: ReferenceProfile, window: Mapping[str, NDArray[Any]], settings: AlarmSettings) -> list[Finding]:
    """Return a finding for each column of the profile, given the window's columns, all of the same length."""
    return compare_counts(profile, {bins.column: bins.count(window[bins.column]) for bins in profile.bins}, settings)


def compare_counts(
    profile: ReferenceProfile, counts: Mapping[str, NDArray[np.int64]], settings: AlarmSettings
) -> list[Finding]:
    """Return a finding for each column of the profile, given the window's counts in the profile's bins."""
    comparisons = len(profile.bins)
    return [
        _finding(bins, np.asarray(profile.counts[bins.column]), counts[bins.column], comparisons, settings)
        for bins in profile.bins
    ]


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """Return `act` when any column moved beyond its limit."""
    return Verdict.ACT if any(finding.alarmed for finding in findings) else Verdict.STABLE


def _finding(
    bins: FrozenBins, reference: NDArray[np.int64], counts: NDArray[np.int64], comparisons: int, settings: AlarmSettings
) -> Finding:
    labels, before = bins.comparable(reference)
    _, now = bins.comparable(counts)
    filled = (before + now) > 0
    before, now = before[filled], now[filled]
    noise = noise_limit(int(before.sum()), int(now.sum()), len(now), level=settings.level, comparisons=comparisons)
    return Finding(
        column=bins.column,
        is_score=bins.column == SCORE,
        psi=population_stability_index(before, now),
        limit=max(settings.floor, noise),
        labels=tuple(label for label, kept in zip(labels, filled, strict=True) if kept),
        reference=tuple(before.tolist()),
        current=tuple(now.tolist()),
    )
