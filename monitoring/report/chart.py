"""A small picture as SVG: series of marks with intervals, joined or not, over periods, bands or months on book."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from monitoring.report.formatting import number, percent

WIDTH, HEIGHT = 380, 220
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 8, 32
MOST_TICKS = 6
LETTER = 6.2


@dataclass(frozen=True)
class Mark:
    """A value at a place along the axis, its interval where it has one, and what a pointer on it is told."""

    x: float
    y: float
    told: str
    low: float | None = None
    high: float | None = None
    hollow: bool = False


@dataclass(frozen=True)
class Series:
    """Marks of one kind (a class of the style sheet); `joined` by a line, `dotted` as far as its marks are."""

    name: str
    kind: str
    marks: Sequence[Mark]
    joined: bool = False
    dots: bool = True


@dataclass(frozen=True)
class Chart:
    """`places` names the places 0, 1, ... along the axis; `alternative` tells the picture to who cannot see it.

    With `share` the values are shares, marked in percent.
    """

    title: str
    alternative: str
    series: Sequence[Series]
    places: Sequence[str]
    share: bool = False
    along: str = ""
    from_zero: bool = False

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Kind and name of each series that has a name."""
        return [(one.kind, one.name) for one in self.series if one.name]


@dataclass(frozen=True)
class _Frame:
    """Where values lie on the picture."""

    low: float
    high: float
    places: int

    def across(self, x: float) -> float:
        return LEFT + (x + 0.5) * (WIDTH - LEFT - RIGHT) / max(self.places, 1)

    def up(self, y: float) -> float:
        return TOP + (self.high - y) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)


def draw(chart: Chart) -> Markup:
    """Return the picture; it is as wide as its frame lets it be."""
    ticks = _ticks(chart)
    frame = _Frame(ticks[0], ticks[-1], len(chart.places))
    parts = [*_across(chart, frame), *_up(chart, frame, ticks)]
    for one in chart.series:
        parts.extend(_drawn(one, frame))
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, chart.alternative, Markup("").join(parts)
    )


def _ticks(chart: Chart) -> list[float]:
    """Return round values from below the lowest to above the highest."""
    ends = [
        end
        for one in chart.series
        for mark in one.marks
        for end in (mark.y, mark.low, mark.high)
        if end is not None and math.isfinite(end)
    ]
    ends = [*ends, 0.0] if chart.from_zero or not ends else ends
    low, high = min(ends), max(ends)
    span = (high - low) or abs(high) / 10 or 0.1
    rough = span / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * place for place in range(first, max(last, first + 1) + 1)]


def _across(chart: Chart, frame: _Frame) -> Iterator[Markup]:
    """Yield the names of the places, as many as there is room for, and what they are."""
    widest = max((len(one) for one in chart.places), default=1) * LETTER + 8
    room = max(1, min(MOST_TICKS, int((WIDTH - LEFT - RIGHT) / widest)))
    every = -(-len(chart.places) // room) if len(chart.places) > room else 1
    for place, name in enumerate(chart.places):
        if place % every == 0:
            x = frame.across(place)
            yield Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                x, HEIGHT - BOTTOM + 16, name
            )
    if chart.along:
        yield Markup('<text class="along" x="{}" y="{}" text-anchor="end">{}</text>').format(
            WIDTH - RIGHT, HEIGHT - 3, chart.along
        )


def _up(chart: Chart, frame: _Frame, ticks: Sequence[float]) -> Iterator[Markup]:
    spell, scale = (percent, 100) if chart.share else (number, 1)
    digits = max(0, -math.floor(math.log10((ticks[1] - ticks[0]) * scale) + 1e-9))
    for tick in ticks:
        y = frame.up(tick)
        yield Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(LEFT, WIDTH - RIGHT, y, y)
        yield Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
            LEFT - 6, y + 3.5, spell(tick, digits)
        )


def _drawn(series: Series, frame: _Frame) -> Iterator[Markup]:
    marks = [one for one in series.marks if math.isfinite(one.y)]
    if series.joined:
        yield from _line(series.kind, [one for one in marks if not one.hollow], frame, "")
        tail = [place for place, one in enumerate(marks) if one.hollow]
        yield from _line(series.kind, marks[max(tail[0] - 1, 0) :] if tail else [], frame, " tail")
    for one in marks:
        yield _mark(series, one, frame)


def _line(kind: str, marks: Sequence[Mark], frame: _Frame, also: str) -> Iterator[Markup]:
    if len(marks) > 1:
        path = " ".join(f"{frame.across(one.x):.1f},{frame.up(one.y):.1f}" for one in marks)
        yield Markup('<polyline class="{}{}" points="{}"/>').format(kind, also, path)


def _mark(series: Series, mark: Mark, frame: _Frame) -> Markup:
    x, y = frame.across(mark.x), frame.up(mark.y)
    reach = Markup("")
    if mark.low is not None and mark.high is not None and math.isfinite(mark.low) and math.isfinite(mark.high):
        reach = Markup('<line x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>').format(
            x, x, frame.up(mark.low), frame.up(mark.high)
        )
    kind = f"{series.kind}{' hollow' if mark.hollow else ''}{'' if series.dots else ' unseen'}"
    return Markup('<g class="{}">{}<circle cx="{:.1f}" cy="{:.1f}" r="3.2"/><title>{}</title></g>').format(
        kind, reach, x, y, escape(mark.told)
    )
