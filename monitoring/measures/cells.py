"""The cells that are compared: columns in their bins, bands, decisions and reasons, and the shares of segments."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.measures.measure import Value, measure_column
from monitoring.measures.move import Role
from monitoring.thresholds.thresholds import EVERYONE, Cell
from monitoring.windows.references import Reference
from pipelines.credit.points import band_labels
from pipelines.policy.pack import PolicySettings
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.dimensions import bare_name
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.reference_profile import SCORE
from pipelines.profiles.window_profile import WindowProfile
from pipelines.scoring.scorer import APPROVED, DECISIONS, unapproved_decision

Counts = NDArray[np.int64]

BAND, DECISION, REASON = "band", "decision", "reason"
"""Columns of the log that are compared in addition to the score and its features."""


@dataclass(frozen=True)
class ShownBins:
    """The bins of a cell as a report shows them: their labels, and the rows of the reference and of the window."""

    labels: tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]

    @classmethod
    def of(cls, labels: Sequence[str], reference: Counts, current: Counts) -> "ShownBins":
        """Return the bins that are not empty; `reference` has the shape (periods, bins)."""
        pooled = reference.sum(axis=0)
        filled = np.flatnonzero(pooled + current)
        names = tuple(labels[int(index)] for index in filled)
        return cls(names, tuple(pooled[filled].tolist()), tuple(current[filled].tolist()))


@dataclass(frozen=True)
class ComparedCell:
    """One cell: the counts of the reference (periods, bins) and of the window (bins,) as they are compared.

    Values outside the range of a column have bins of their own in `shown`; they are compared with the bin at that end.
    `measures` holds each drift measure of a column over all decisions, None for segments and for bands, decisions and
    reasons.
    """

    cell: Cell
    role: Role
    reference: Counts
    current: Counts
    shown: ShownBins
    measures: Mapping[str, Value | None] | None = None


def compared_cells(reference: Reference, current: WindowProfile, policy: PolicySettings | None) -> list[ComparedCell]:
    """Return every cell that both sides have counted.

    All cells have the periods of the reference in the same order (`reference_periods`); a period in which a cell was
    not counted has an empty row. The policy derives bands and decisions from the points of a development sample, which
    has no reasons; without a policy neither bands nor decisions are compared with it.
    """
    periods = reference_periods(reference)
    cells = list(_cells(reference, EVERYONE, periods, reference.overall, current.overall, policy))
    for segment, tally in sorted(current.segments.items()):
        earlier = reference.of_segment(segment)
        if earlier:
            cells += _cells(reference, segment, periods, earlier, tally, policy)
    return [*cells, *_segment_shares(reference, current, periods)]


def _segment_shares(reference: Reference, current: WindowProfile, periods: Sequence[str]) -> Iterator[ComparedCell]:
    """Yield a cell for each dimension of segments that is not a column already: the rows of each of its segments."""
    segments = [name for name in sorted({*reference.segments, *current.segments}) if "=" in name]
    columns = {one.column for one in reference.profile.bins}
    for dimension in sorted({name.partition("=")[0] for name in segments} - columns):
        names = [name for name in segments if name.partition("=")[0] == dimension]
        now = np.array([current.segments.get(name, Tally()).rows for name in names])
        tallies = [reference.of_segment(name) for name in names]
        before = np.array([[one.get(period, Tally()).rows for one in tallies] for period in periods])
        if now.any() and before.any():
            shown = ShownBins.of([bare_name(name) for name in names], before, now)
            yield ComparedCell(Cell(dimension), "feature", before, now, shown)


def reference_periods(reference: Reference) -> list[str]:
    """Return all periods of a reference in order, including those of segments."""
    of_segments = (period for tallies in reference.segments.values() for period in tallies)
    return sorted({*reference.overall, *of_segments})


def _cells(
    reference: Reference,
    segment: str,
    periods: Sequence[str],
    before: Mapping[str, Tally],
    now: Tally,
    policy: PolicySettings | None,
) -> Iterator[ComparedCell]:
    for bins in reference.profile.bins:
        counts = now.columns[bins.column]
        rows = [before[one].columns[bins.column] if one in before else np.zeros_like(counts) for one in periods]
        role: Role = "score" if bins.column == SCORE else "feature"
        measures = _measures(bins, before, now) if segment == EVERYONE else None
        compared, current = np.array([bins.comparable(one)[1] for one in rows]), bins.comparable(counts)[1]
        shown = ShownBins.of(_labels(bins), np.array(rows), counts)
        yield ComparedCell(Cell(bins.column, segment), role, compared, current, shown, measures)
    has_scores = all(len(one.scores) for one in (*before.values(), now))
    policy = policy if has_scores else None
    for column, role, labels in _named_columns(before, now, policy):
        rows = [_label_counts(before.get(period), column, labels, policy) for period in periods]
        current = _label_counts(now, column, labels, policy)
        shown = ShownBins.of(labels, np.array(rows), current)
        yield ComparedCell(Cell(column, segment), role, np.array(rows), current, shown)


def _measures(bins: FrozenBins, before: Mapping[str, Tally], now: Tally) -> Mapping[str, Value | None] | None:
    reference = np.sum([tally.columns[bins.column] for tally in before.values()], axis=0)
    return measure_column(bins, reference, now.columns[bins.column])


def _labels(bins: FrozenBins) -> tuple[str, ...]:
    """Return the labels of the bins; those outside the range of the reference have its ends."""
    if bins.edges is None:
        return bins.labels
    ends = (f"outside, below {bins.lowest:,.6g}", f"outside, above {bins.highest:,.6g}")
    return (bins.labels[0], ends[0], *bins.labels[2:-1], ends[1])


def _named_columns(
    before: Mapping[str, Tally], now: Tally, policy: PolicySettings | None
) -> Iterator[tuple[str, Role, tuple[str, ...]]]:
    """Yield bands, decisions and reasons with the labels that occur, where both sides have them.

    A policy derives bands and decisions from the score; tables that were scored elsewhere have columns for them.
    """
    if policy is not None:
        yield BAND, "band", tuple(band_labels(policy.bands, policy.scale))
        yield DECISION, "decision", DECISIONS
    named: tuple[tuple[str, Role], ...] = ((BAND, "band"), (DECISION, "decision"), (REASON, "reason"))
    for column, role in named if policy is None else named[2:]:
        counters = [_counter(one, column) for one in (*before.values(), now)]
        if any(counters[:-1]) and counters[-1]:
            yield column, role, tuple(sorted({label for one in counters for label in one}))


def _counter(tally: Tally, column: str) -> Counter[str]:
    return {BAND: tally.bands, DECISION: tally.decisions, REASON: tally.reasons}[column]


def _label_counts(tally: Tally | None, column: str, labels: Sequence[str], policy: PolicySettings | None) -> Counts:
    if tally is None:
        return np.zeros(len(labels), dtype=np.int64)
    if column == REASON or policy is None:
        return np.array([_counter(tally, column)[label] for label in labels], dtype=np.int64)
    if column == BAND:
        return tally.scores.between(policy.bands)
    if tally.decisions:
        return np.array([tally.decisions[label] for label in DECISIONS], dtype=np.int64)
    approved = len(tally.scores.reaching(policy.approve_from))
    rows = {APPROVED: approved, unapproved_decision(policy): tally.rows - approved}
    return np.array([rows.get(label, 0) for label in DECISIONS], dtype=np.int64)
