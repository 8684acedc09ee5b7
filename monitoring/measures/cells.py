"""What is compared: every column in its bins, and the bands, decisions and reasons, of everyone and by segment."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.measures.bin_distances import distances_of
from monitoring.measures.move import Distances, Role
from monitoring.thresholds.thresholds import EVERYONE, Cell
from monitoring.windows.references import Reference
from pipelines.credit.points import band_labels
from pipelines.policy.pack import PolicySettings
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.reference_profile import SCORE, FrozenBins
from pipelines.profiles.window_profile import WindowProfile
from pipelines.scoring.scorer import APPROVED, DECISIONS, unapproved_decision

Counts = NDArray[np.int64]

BAND, DECISION, REASON = "band", "decision", "reason"
"""Columns of the log that are compared beside the score and its features."""


@dataclass(frozen=True)
class Compared:
    """One cell to compare: the labels of its bins, the reference's counts (periods, bins) and the window's (bins,).

    `distances` are told of everyone's columns.
    """

    cell: Cell
    role: Role
    labels: tuple[str, ...]
    reference: Counts
    current: Counts
    distances: Distances | None = None


def compared_cells(reference: Reference, current: WindowProfile, policy: PolicySettings | None) -> list[Compared]:
    """Return every cell that both sides have counted.

    All cells have the reference's periods in one order (`reference_periods`); where a cell was not counted its row is
    empty. The policy turns a development's points into bands and decisions; without it they are not compared, nor are
    reasons with a development, which knows none.
    """
    periods = reference_periods(reference)
    cells = list(_cells(reference, EVERYONE, periods, reference.overall, current.overall, policy))
    for name, tally in sorted(current.segments.items()):
        known = reference.segments.get(name)
        if known:
            cells += _cells(reference, name, periods, known, tally, policy)
    return cells


def reference_periods(reference: Reference) -> list[str]:
    """Return all periods of a reference in order, those of segments included."""
    return sorted({*reference.overall, *(period for found in reference.segments.values() for period in found)})


def _cells(
    reference: Reference,
    segment: str,
    periods: Sequence[str],
    before: Mapping[str, Tally],
    now: Tally,
    policy: PolicySettings | None,
) -> Iterator[Compared]:
    for bins in reference.profile.bins:
        labels, current = bins.comparable(now.columns[bins.column])
        rows = [_comparable(bins, before, period, len(labels)) for period in periods]
        role: Role = "score" if bins.column == SCORE else "feature"
        apart = _distances(bins, before, now) if segment == EVERYONE else None
        yield Compared(Cell(bins.column, segment), role, labels, np.array(rows), current, apart)
    has_scores = all(len(one.scores) for one in (*before.values(), now))
    policy = policy if has_scores else None
    for column, role, labels in _named_columns(before, now, policy):
        known = [_named(before.get(period), column, labels, policy) for period in periods]
        yield Compared(Cell(column, segment), role, labels, np.array(known), _named(now, column, labels, policy))


def _distances(bins: FrozenBins, before: Mapping[str, Tally], now: Tally) -> Distances | None:
    reference = np.sum([tally.columns[bins.column] for tally in before.values()], axis=0)
    return distances_of(reference, now.columns[bins.column], bins)


def _comparable(bins: FrozenBins, before: Mapping[str, Tally], period: str, size: int) -> Counts:
    tally = before.get(period)
    return np.zeros(size, dtype=np.int64) if tally is None else bins.comparable(tally.columns[bins.column])[1]


def _named_columns(
    before: Mapping[str, Tally], now: Tally, policy: PolicySettings | None
) -> Iterator[tuple[str, Role, tuple[str, ...]]]:
    """Yield bands, decisions and reasons, with the labels that occur, as far as both sides tell them.

    A policy tells bands and decisions from the score; tables that were scored elsewhere name them.
    """
    told = [*before.values(), now]
    if policy is not None:
        yield BAND, "band", tuple(band_labels(policy.bands, policy.scale))
        yield DECISION, "decision", DECISIONS
    named: tuple[tuple[str, Role], ...] = ((BAND, "band"), (DECISION, "decision"), (REASON, "reason"))
    for column, role in named if policy is None else named[2:]:
        counters = [_counter(one, column) for one in told]
        if any(counters[:-1]) and counters[-1]:
            yield column, role, tuple(sorted({name for one in counters for name in one}))


def _counter(tally: Tally, column: str) -> Counter[str]:
    return {BAND: tally.bands, DECISION: tally.decisions, REASON: tally.reasons}[column]


def _named(tally: Tally | None, column: str, labels: Sequence[str], policy: PolicySettings | None) -> Counts:
    if tally is None:
        return np.zeros(len(labels), dtype=np.int64)
    if column == REASON or policy is None:
        return np.array([_counter(tally, column)[name] for name in labels], dtype=np.int64)
    if column == BAND:
        return tally.scores.between(policy.bands)
    if tally.decisions:
        return np.array([tally.decisions[name] for name in DECISIONS], dtype=np.int64)
    approved = len(tally.scores.reaching(policy.approve_from))
    found = {APPROVED: approved, unapproved_decision(policy): tally.rows - approved}
    return np.array([found.get(name, 0) for name in DECISIONS], dtype=np.int64)
