"""A figure's interval as a mark inside a table's cell, on one scale for the whole column."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from pipelines.charts.number_formats import is_known

WIDTH, HEIGHT, EDGE = 120, 14, 4


class IntervalColumn:
    """The scale of a column: it holds every interval, and the `bounds` that are asked for."""

    def __init__(self, rows: Sequence[Any], value: str, low: str, high: str, bounds: Sequence[float] = ()) -> None:
        self._names = (value, low, high)
        self._bounds = [bound for bound in bounds if is_known(bound)]
        told = [float(row[name]) for row in rows for name in self._names if is_known(row.get(name))]
        self._low, self._high = min([*told, *self._bounds], default=0.0), max([*told, *self._bounds], default=1.0)

    def cell(self, row: Any) -> Markup:
        """Return the interval of one row as a line, its figure as a dot, and the bounds as upright marks."""
        value, low, high = (row.get(name) for name in self._names)
        if not all(map(is_known, (value, low, high))):
            return Markup("")
        marks = [
            Markup('<line class="bound" x1="{0:.1f}" y1="0" x2="{0:.1f}" y2="{1}"/>').format(self._at(bound), HEIGHT)
            for bound in self._bounds
        ]
        middle = HEIGHT / 2
        marks.append(
            Markup('<line class="reach" x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}"/>').format(
                self._at(low), middle, self._at(high), middle
            )
        )
        marks.append(Markup('<circle class="ink" cx="{:.1f}" cy="{}" r="2.6"/>').format(self._at(value), middle))
        picture = Markup(
            '<svg class="interval" aria-hidden="true" viewBox="0 0 {0} {1}" width="{0}" height="{1}">{2}</svg>'
        )
        return picture.format(WIDTH, HEIGHT, Markup("").join(marks))

    def _at(self, value: float) -> float:
        span = (self._high - self._low) or 1.0
        return EDGE + (float(value) - self._low) / span * (WIDTH - 2 * EDGE)
