"""How far each column of each segment moved from the reference, and for how long."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from monitoring.measures.cells import Compared, compared_cells, reference_periods
from monitoring.measures.move import Move
from monitoring.thresholds.settings import ThresholdSettings
from monitoring.thresholds.thresholds import Cell, Floor, Judgement, Level, Thresholds, judge
from monitoring.windows.months import month_from
from monitoring.windows.references import Reference, reference_for
from monitoring.windows.settings import WindowKind, WindowSettings
from monitoring.windows.windows import PeriodCounts, Window
from pipelines.policy.pack import PolicySettings
from pipelines.profiles.window_profile import WindowProfile
from pipelines.score_log.score_log import LogKey

MOST_BACK = 6
"""A move is followed back over so many periods."""

A_YEAR = 12
"""From so many periods of the reference on, its months are compared season by season."""


def find_moves(
    counts: PeriodCounts,
    window: Window,
    reference: Reference,
    policy: PolicySettings | None,
    settings: WindowSettings,
    thresholds: ThresholdSettings,
) -> list[Move]:
    """Return the move of every cell, in the order of the reference's columns, everyone first.

    For a window of one period the periods right before it are judged too, each as it would have been judged then: what
    is watched twice in a row is acted on.
    """
    known = _earlier_levels(counts, window, reference, policy, settings, thresholds)
    return compare(reference, window.profile, policy, thresholds, window.key.period, known)


def compare(
    reference: Reference,
    current: WindowProfile,
    policy: PolicySettings | None,
    thresholds: ThresholdSettings,
    period: str,
    earlier: Mapping[str, Mapping[Cell, Level]] | None = None,
) -> list[Move]:
    """Return the move of every cell of counts; `earlier` are the levels of the periods right before, oldest first."""
    known = earlier or {}
    compared = compared_cells(reference, current, policy)
    judged = _judge(compared, reference, period, thresholds, list(known.values()))
    periods = [*known, period]
    return [_move(one, found, periods) for one, found in zip(compared, judged, strict=True)]


def thresholds_of(settings: ThresholdSettings) -> Thresholds:
    """Return the rules that settings spell."""
    return Thresholds(
        watch=Floor(settings.watch_psi, settings.watch_rate),
        act=Floor(settings.act_psi, settings.act_rate),
        persist=settings.persist,
        blind=settings.blind,
    )


def _earlier_levels(
    counts: PeriodCounts,
    window: Window,
    reference: Reference,
    policy: PolicySettings | None,
    settings: WindowSettings,
    thresholds: ThresholdSettings,
) -> dict[str, Mapping[Cell, Level]]:
    """Return the levels of the periods right before a window of one period, oldest first."""
    if settings.window is not WindowKind.period:
        return {}
    scored = set(counts.log.periods(window.key.model, window.key.version, window.key.population))
    periods: list[str] = []
    period = month_from(window.key.period, -1)
    while period in scored and period not in reference.overall and len(periods) < MOST_BACK:
        periods.insert(0, period)
        period = month_from(period, -1)
    found: dict[str, Mapping[Cell, Level]] = {}
    for period in periods:
        key = replace(window.key, period=period)
        then = _reference_then(counts, key, reference, settings)
        cells = compared_cells(then, counts.of(key), policy)
        judged = _judge(cells, then, period, thresholds, list(found.values()))
        found[period] = {one.cell: one.level for one in judged}
    return found


def _reference_then(counts: PeriodCounts, key: LogKey, reference: Reference, settings: WindowSettings) -> Reference:
    """Return the reference as it was for an earlier period: segments are compared with what came before it."""
    if not reference.is_development:
        return reference
    return reference_for(counts, key, settings.reference)


def _judge(
    compared: Sequence[Compared],
    reference: Reference,
    period: str,
    settings: ThresholdSettings,
    earlier: Sequence[Mapping[Cell, Level]],
) -> list[Judgement]:
    known = {one.cell: one.reference for one in compared}
    now = {one.cell: one.current for one in compared}
    season = _season(compared, reference_periods(reference), period)
    return judge(known, now, thresholds_of(settings), season=season, earlier=earlier)


def _season(compared: Sequence[Compared], periods: Sequence[str], period: str) -> int | None:
    """Return which of a reference's periods is the same month a year before, where all cells know a year at least."""
    if len(periods) < A_YEAR:
        return None
    same = [place for place, one in enumerate(periods) if one[5:] == period[5:] and one < period]
    if not same or any((one.reference.sum(axis=1) > 0).sum() < A_YEAR for one in compared):
        return None
    place = same[-1]
    return place if all(one.reference[place].sum() for one in compared) else None


def _move(one: Compared, judged: Judgement, periods: Sequence[str]) -> Move:
    pooled = one.reference.sum(axis=0)
    filled = np.flatnonzero(pooled + one.current)
    return Move(
        judgement=judged,
        role=one.role,
        labels=tuple(one.labels[place] for place in filled),
        reference=tuple(pooled[filled].tolist()),
        current=tuple(one.current[filled].tolist()),
        since=periods[-judged.lasting] if judged.lasting else None,
        distances=one.distances,
    )
