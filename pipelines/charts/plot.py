"""A chart as SVG: two axes, and lines, areas, dots, bars and text on them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

WIDTH, HEIGHT = 340, 230
LEFT, RIGHT, TOP, BOTTOM = 44, 18, 12, 38

Format = Callable[[float], str]


@dataclass(frozen=True)
class Axis:
    """The values from `low` to `high` along one side; `format` writes the value of each tick."""

    title: str
    low: float
    high: float
    ticks: Sequence[float]
    format: Format

    @classmethod
    def over(cls, title: str, values: Sequence[float], format: Format, *, ticks: int = 5) -> "Axis":
        """Return an axis with round ends that covers all finite values."""
        finite = [value for value in values if math.isfinite(value)] or [0.0]
        low, high = min(finite), max(finite)
        step = _round_step((high - low) or abs(high) / 10 or 0.5, ticks)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        positions = [step * number for number in range(first, max(last, first + 1) + 1)]
        return cls(title, positions[0], positions[-1], positions, format)


def _round_step(span: float, ticks: int) -> float:
    """Return 1, 2 or 5 times a power of ten, so that a span holds about so many."""
    rough = span / ticks
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


@dataclass
class Plot:
    """A chart; `alternative` is its description for screen readers. `width` and `height` are in CSS pixels."""

    alternative: str
    x: Axis
    y: Axis
    left: int = LEFT
    width: int = WIDTH
    height: int = HEIGHT
    _marks: list[Markup] = field(default_factory=list)

    def line(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Draw a line through points."""
        path = " ".join(f"{self._across(x):.1f},{self._up(y):.1f}" for x, y in points)
        self._marks.append(Markup('<polyline class="{}" points="{}"/>').format(kind, path))

    def area(self, points: Sequence[tuple[float, float, float]], kind: str) -> None:
        """Fill between the lower and the upper of points (x, low, high)."""
        there = [(x, high) for x, _, high in points] + [(x, low) for x, low, _ in reversed(points)]
        path = " ".join(f"{self._across(x):.1f},{self._up(y):.1f}" for x, y in there)
        self._marks.append(Markup('<polygon class="{}" points="{}"/>').format(kind, path))

    def dot(self, x: float, y: float, kind: str, radius: float = 2.8) -> None:
        """Draw a dot at (x, y)."""
        mark = Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>')
        self._marks.append(mark.format(kind, self._across(x), self._up(y), radius))

    def interval(self, at: tuple[float, float], ends: tuple[float, float] | None, kind: str, text: str) -> None:
        """Draw a dot with its interval, `ends` along y, and `text` as its tooltip."""
        x, y = self._across(at[0]), self._up(at[1])
        line = Markup('<line x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>')
        reach = line.format(x, self._up(ends[0]), self._up(ends[1])) if ends else Markup("")
        mark = Markup('<g class="{}">{}<circle cx="{:.1f}" cy="{:.1f}" r="3.2"/><title>{}</title></g>')
        self._marks.append(mark.format(kind, reach, x, y, text))

    def segment(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> None:
        """Draw a straight line between two points."""
        ends = (self._across(start[0]), self._up(start[1]), self._across(end[0]), self._up(end[1]))
        mark = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
        self._marks.append(mark.format(kind, *ends))

    def bar(self, x: tuple[float, float], height: float, kind: str) -> None:
        """Draw a bar from the bottom of the chart."""
        left, right, top = self._across(x[0]), self._across(x[1]), self._up(height)
        mark = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
        self._marks.append(mark.format(kind, left, top, right - left, self._up(self.y.low) - top))

    def text(self, x: float, y: float, text: str, kind: str = "", *, anchor: str = "start", shift: float = 0) -> None:
        """Write text beside a point, `shift` pixels below it."""
        mark = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
        self._marks.append(mark.format(kind, self._across(x), self._up(y) + shift, anchor, text))

    def svg(self) -> Markup:
        """Return the chart."""
        inside = Markup("").join([*self._frame(), *self._marks])
        chart = Markup('<svg role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>')
        return chart.format(self.alternative, self.width, self.height, self.width, self.height, inside)

    def _across(self, value: float) -> float:
        return self.left + (value - self.x.low) / (self.x.high - self.x.low) * (self.width - self.left - RIGHT)

    def _up(self, value: float) -> float:
        share = (value - self.y.low) / (self.y.high - self.y.low)
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)

    def _frame(self) -> list[Markup]:
        foot, end = self.height - BOTTOM, self.width - RIGHT
        marks = [Markup('<line class="axis" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(self.left, foot, end, foot)]
        for tick in self.x.ticks:
            label = Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>')
            marks.append(label.format(self._across(tick), foot + 14, self.x.format(tick)))
            marks.append(
                Markup('<line class="axis" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>').format(
                    self._across(tick), foot, foot + 3
                )
            )
        for tick in self.y.ticks:
            height = self._up(tick)
            marks.append(
                Markup('<line class="rule" x1="{0}" y1="{1:.1f}" x2="{2}" y2="{1:.1f}"/>').format(
                    self.left, height, end
                )
            )
            label = Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>')
            marks.append(label.format(self.left - 5, height + 3.5, self.y.format(tick)))
        title = Markup('<text class="title" x="{}" y="{}" text-anchor="end">{}</text>')
        marks.append(title.format(end, self.height - 6, escape(self.x.title)))
        return marks
