"""How far each column of each segment moved from the reference, and for how many periods."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from monitoring.measures.cells import ComparedCell, compared_cells, reference_periods
from monitoring.measures.move import Move
from monitoring.thresholds.settings import ThresholdSettings
from monitoring.thresholds.thresholds import Cell, Judgement, Level, judge
from monitoring.windows.months import month_from
from monitoring.windows.references import Reference, reference_for
from monitoring.windows.settings import WindowKind, WindowSettings
from monitoring.windows.windows import PeriodCounts, Window
from pipelines.policy.pack import PolicySettings
from pipelines.profiles.window_profile import WindowProfile

MOST_EARLIER = 6
"""Periods before a window that are judged to find where a move began."""

A_YEAR = 12
"""Periods of the reference from which on its months are compared season by season."""


def find_moves(
    counts: PeriodCounts,
    window: Window,
    reference: Reference,
    policy: PolicySettings | None,
    settings: WindowSettings,
    thresholds: ThresholdSettings,
) -> list[Move]:
    """Return the move of every cell, in the order of the reference's columns, all decisions first.

    For a window of one period the periods right before it are judged too, each with the reference of its time: a cell
    at watch level in consecutive periods reaches act level.
    """
    earlier = _earlier_levels(counts, window, reference, policy, settings, thresholds)
    return compare(reference, window.profile, policy, thresholds, window.key.period, earlier)


def compare(
    reference: Reference,
    current: WindowProfile,
    policy: PolicySettings | None,
    thresholds: ThresholdSettings,
    period: str,
    earlier: Mapping[str, Mapping[Cell, Level]] | None = None,
) -> list[Move]:
    """Return the move of every cell of counts; `earlier` are the levels of the periods right before, oldest first."""
    earlier = earlier or {}
    cells = compared_cells(reference, current, policy)
    judgements = _judge(cells, reference, period, thresholds, list(earlier.values()))
    periods = [*earlier, period]
    return [_move(cell, judgement, periods) for cell, judgement in zip(cells, judgements, strict=True)]


def _earlier_levels(
    counts: PeriodCounts,
    window: Window,
    reference: Reference,
    policy: PolicySettings | None,
    settings: WindowSettings,
    thresholds: ThresholdSettings,
) -> dict[str, Mapping[Cell, Level]]:
    if settings.window is not WindowKind.period:
        return {}
    scored = set(counts.log.periods(window.key))
    periods: list[str] = []
    period = month_from(window.key.period, -1)
    while period in scored and period not in reference.overall and len(periods) < MOST_EARLIER:
        periods.insert(0, period)
        period = month_from(period, -1)
    levels: dict[str, Mapping[Cell, Level]] = {}
    for period in periods:
        key = replace(window.key, period=period)
        # Segments of an earlier period are compared with the periods before it.
        then = reference_for(counts, key, settings.reference) if reference.is_development else reference
        cells = compared_cells(then, counts.of(key), policy)
        judgements = _judge(cells, then, period, thresholds, list(levels.values()))
        levels[period] = {one.cell: one.level for one in judgements}
    return levels


def _judge(
    cells: Sequence[ComparedCell],
    reference: Reference,
    period: str,
    thresholds: ThresholdSettings,
    earlier: Sequence[Mapping[Cell, Level]],
) -> list[Judgement]:
    before = {one.cell: one.reference for one in cells}
    now = {one.cell: one.current for one in cells}
    season = _season(cells, reference_periods(reference), period)
    return judge(before, now, thresholds, season=season, earlier=earlier)


def _season(cells: Sequence[ComparedCell], periods: Sequence[str], period: str) -> int | None:
    """Return the index of the same month a year before, None unless all cells have a year of the reference."""
    if len(periods) < A_YEAR:
        return None
    same = [index for index, one in enumerate(periods) if one[5:] == period[5:] and one < period]
    if not same or any((one.reference.sum(axis=1) > 0).sum() < A_YEAR for one in cells):
        return None
    index = same[-1]
    return index if all(one.reference[index].sum() for one in cells) else None


def _move(cell: ComparedCell, judgement: Judgement, periods: Sequence[str]) -> Move:
    return Move(
        judgement=judgement,
        role=cell.role,
        labels=cell.shown.labels,
        reference=cell.shown.reference,
        current=cell.shown.current,
        since=periods[-judgement.lasting] if judgement.lasting else None,
        measures=cell.measures,
    )
