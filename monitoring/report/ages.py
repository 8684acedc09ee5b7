"""Vintage curves in figures: the cumulative bad rate at a few ages, month by month."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.charts.number_formats import percent
from pipelines.credit.vintage_curve import VintageCurve, VintagePoint

AGES = (1, 3, 6, 9, 12, 18, 24)
MOST_AGES = 4
MONTHS_SHOWN = 12


@dataclass(frozen=True)
class MonthRow:
    """The loans of a month, and the bad rate at each age, empty where no loan is that old."""

    month: str
    loans: int
    shares: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class AgesReached:
    """The ages that are shown, and the months, newest first."""

    ages: tuple[int, ...]
    rows: tuple[MonthRow, ...]


def ages_reached(curves: Sequence[VintageCurve]) -> AgesReached:
    """Return the bad rates at the oldest few of the usual ages that any vintage has reached."""
    newest = list(reversed(curves))[:MONTHS_SHOWN]
    reached = max((point.months_on_book for one in newest for point in one.points), default=0)
    ages = tuple(age for age in AGES if age <= reached)[-MOST_AGES:]
    return AgesReached(ages, tuple(_row(one, ages) for one in newest))


def _row(curve: VintageCurve, ages: Sequence[int]) -> MonthRow:
    points = {one.months_on_book: one for one in curve.points}
    loans = max((one.loans for one in curve.points), default=0)
    return MonthRow(curve.month, loans, tuple((age, _share(points.get(age))) for age in ages))


def _share(point: VintagePoint | None) -> str:
    if point is None:
        return ""
    return percent(point.share) if point.is_whole else f"({percent(point.share)})"
