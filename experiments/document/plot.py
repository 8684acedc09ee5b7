"""A small picture as SVG: two axes, and lines, dots and words on them, drawn at the size at which it is read."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

WIDTH, HEIGHT = 340, 230
LEFT, RIGHT, TOP, BOTTOM = 44, 18, 12, 38

Spell = Callable[[float], str]


@dataclass(frozen=True)
class Axis:
    """The values from `low` to `high` along one side, with `ticks` marked and spelled."""

    title: str
    low: float
    high: float
    ticks: Sequence[float]
    spell: Spell

    @classmethod
    def over(cls, title: str, values: Sequence[float], spell: Spell, *, ticks: int = 5) -> "Axis":
        """Return an axis that holds all values and begins and ends on a round one."""
        low, high = min(values), max(values)
        step = _round_step((high - low) or abs(high) / 20 or 1.0, ticks)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        places = [step * place for place in range(first, max(last, first + 1) + 1)]
        return cls(title, places[0], places[-1], places, spell)


def _round_step(span: float, ticks: int) -> float:
    """Return 1, 2 or 5 times a power of ten, so that a span holds about so many."""
    rough = span / ticks
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


@dataclass
class Plot:
    """A picture that is told to those who cannot see it in `alternative`."""

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
        """Draw a dot."""
        mark = Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>')
        self._marks.append(mark.format(kind, self._across(x), self._up(y), radius))

    def segment(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> None:
        """Draw a straight line between two points."""
        places = (self._across(start[0]), self._up(start[1]), self._across(end[0]), self._up(end[1]))
        mark = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
        self._marks.append(mark.format(kind, *places))

    def bar(self, x: tuple[float, float], height: float, kind: str) -> None:
        """Draw a bar from the foot of the picture."""
        left, right, top = self._across(x[0]), self._across(x[1]), self._up(height)
        mark = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
        self._marks.append(mark.format(kind, left, top, right - left, self._up(self.y.low) - top))

    def word(self, x: float, y: float, text: str, kind: str = "", *, anchor: str = "start", shift: float = 0) -> None:
        """Write beside a point, `shift` pixels below it."""
        mark = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
        self._marks.append(mark.format(kind, self._across(x), self._up(y) + shift, anchor, text))

    def svg(self) -> Markup:
        """Return the picture."""
        inside = Markup("").join([*self._frame(), *self._marks])
        picture = Markup('<svg role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>')
        return picture.format(self.alternative, self.width, self.height, self.width, self.height, inside)

    def _across(self, value: float) -> float:
        return self.left + (value - self.x.low) / (self.x.high - self.x.low) * (self.width - self.left - RIGHT)

    def _up(self, value: float) -> float:
        share = (value - self.y.low) / (self.y.high - self.y.low)
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)

    def _frame(self) -> list[Markup]:
        foot, end = self.height - BOTTOM, self.width - RIGHT
        marks = [Markup('<line class="axis" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(self.left, foot, end, foot)]
        for tick in self.x.ticks:
            place = Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>')
            marks.append(place.format(self._across(tick), foot + 14, self.x.spell(tick)))
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
            place = Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>')
            marks.append(place.format(self.left - 5, height + 3.5, self.y.spell(tick)))
        title = Markup('<text class="title" x="{}" y="{}" text-anchor="end">{}</text>')
        marks.append(title.format(end, self.height - 6, escape(self.x.title)))
        return marks
