"""A chart of one or more series over named positions: periods, bands or months on book."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipelines.charts.number_formats import number, percent
from pipelines.charts.plot import Axis, Plot

WIDTH, HEIGHT, LEFT = 380, 220, 40
MOST_LABELS = 6
CHARACTER = 6.2
"""Average width of a character, in pixels."""


@dataclass(frozen=True)
class Mark:
    """A value at position `x`, its interval where it has one, and its tooltip; `hollow` marks are provisional."""

    x: float
    y: float
    tooltip: str
    low: float | None = None
    high: float | None = None
    hollow: bool = False


@dataclass(frozen=True)
class Series:
    """Marks of one `kind` (a class of the style sheet), joined by a line or not, drawn as dots or not."""

    name: str
    kind: str
    marks: Sequence[Mark]
    joined: bool = False
    dots: bool = True


@dataclass(frozen=True)
class Chart:
    """Series over the positions 0, 1, ... named by `positions`; `alternative` describes it for screen readers.

    With `share` the values are shares, labelled in percent. `along` is the title of the horizontal axis.
    """

    title: str
    alternative: str
    series: Sequence[Series]
    positions: Sequence[str]
    share: bool = False
    along: str = ""
    from_zero: bool = False

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Kind and name of each series that has a name."""
        return [(one.kind, one.name) for one in self.series if one.name]


def draw(chart: Chart) -> Markup:
    """Return a chart as SVG."""
    plot = Plot(chart.alternative, _across(chart), _up(chart), left=LEFT, width=WIDTH, height=HEIGHT)
    for series in chart.series:
        _draw_series(plot, series)
    return plot.svg()


def _across(chart: Chart) -> Axis:
    """Return the horizontal axis, with as many labels as fit."""
    widest = max((len(one) for one in chart.positions), default=1) * CHARACTER + 8
    room = max(1, min(MOST_LABELS, int((WIDTH - LEFT) / widest)))
    step = max(1, -(-len(chart.positions) // room))
    ticks = range(0, len(chart.positions), step)
    last = max(len(chart.positions), 1) - 0.5
    return Axis(chart.along, -0.5, last, ticks, lambda position: chart.positions[int(position)])


def _up(chart: Chart) -> Axis:
    values = [
        value
        for one in chart.series
        for mark in one.marks
        for value in (mark.y, mark.low, mark.high)
        if value is not None
    ]
    axis = Axis.over("", [*values, 0.0] if chart.from_zero else values, str, ticks=4)
    scale, write = (100, percent) if chart.share else (1, number)
    digits = max(0, -math.floor(math.log10((axis.ticks[1] - axis.ticks[0]) * scale) + 1e-9))
    return Axis("", axis.low, axis.high, axis.ticks, lambda value: write(value, digits))


def _draw_series(plot: Plot, series: Series) -> None:
    marks = [one for one in series.marks if math.isfinite(one.y)]
    if series.joined:
        _draw_line(plot, [one for one in marks if not one.hollow], series.kind)
        provisional = [index for index, one in enumerate(marks) if one.hollow]
        _draw_line(plot, marks[max(provisional[0] - 1, 0) :] if provisional else [], f"{series.kind} tail")
    for one in marks:
        kind = f"{series.kind}{' hollow' if one.hollow else ''}{'' if series.dots else ' unseen'}"
        plot.interval((one.x, one.y), _ends(one), kind, one.tooltip)


def _draw_line(plot: Plot, marks: Sequence[Mark], kind: str) -> None:
    if len(marks) > 1:
        plot.line([(one.x, one.y) for one in marks], kind)


def _ends(mark: Mark) -> tuple[float, float] | None:
    if mark.low is None or mark.high is None or not (math.isfinite(mark.low) and math.isfinite(mark.high)):
        return None
    return mark.low, mark.high
