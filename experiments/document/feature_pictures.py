"""Pictures of features for the document: bars in a table, and the matrix of correlations."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from pipelines.charts.number_formats import is_known

WIDTH, HEIGHT = 48, 12
"""Size of a bar in a table, in pixels."""

CELL, LABEL, TOP = 24, 172, 22
"""Size of a cell of the matrix, the width of its labels, and the height of its head, in pixels."""

MOST_LETTERS = 26

STEPS = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
"""Absolute correlations from which a cell is darker."""


class BarColumn:
    """A column of bars drawn to one scale from 0: to the right for positive values, to the left for negative ones.

    `up` and `down` are the colours of either: riskier, safer or plain.
    """

    def __init__(self, values: Sequence[Any], up: str = "riskier", down: str = "safer") -> None:
        self._up, self._down = up, down
        known = [float(value) for value in values if is_known(value)]
        self._low, self._high = min([0.0, *known]), max([0.0, *known])

    def cell(self, value: Any) -> Markup:
        """Draw one bar; nothing for a missing value."""
        if not is_known(value) or self._low == self._high:
            return Markup("")
        zero, end = self._at(0.0), self._at(float(value))
        kind = f"bar-{self._down if float(value) < 0 else self._up}"
        axis = Markup('<line class="axis" x1="{0:.1f}" y1="0" x2="{0:.1f}" y2="{1}"/>').format(zero, HEIGHT)
        bar = Markup('<rect class="{}" x="{:.1f}" y="2" width="{:.1f}" height="{}"/>').format(
            kind, min(zero, end), abs(end - zero), HEIGHT - 4
        )
        picture = Markup('<svg class="bar" aria-hidden="true" viewBox="0 0 {0} {1}" width="{0}" height="{1}">{2}</svg>')
        return picture.format(WIDTH, HEIGHT, bar + axis)

    def _at(self, value: float) -> float:
        return 1 + (value - self._low) / (self._high - self._low) * (WIDTH - 2)


def correlation_matrix(correlations: Any) -> Markup:
    """Return the matrix of correlations as a picture, empty for fewer than two features."""
    if not correlations or len(correlations["features"]) < 2:
        return Markup("")
    names, values = correlations["features"], correlations["values"]
    width, height = LABEL + CELL * len(names) + 2, TOP + CELL * len(names) + 2
    marks = []
    for row, name in enumerate(names):
        y = TOP + CELL * row
        label = f"{row + 1}  {_short(name)}"
        marks.append(Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(LABEL - 8, y + 16, label))
        middle = LABEL + CELL * row + CELL / 2
        marks.append(Markup('<text class="tick" x="{}" y="14" text-anchor="middle">{}</text>').format(middle, row + 1))
        marks += [
            _cell(LABEL + CELL * column, y, value, is_own=column == row)
            for column, value in enumerate(values[row][: row + 1])
        ]
    title = escape(f"Rank correlations of {len(names)} features")
    picture = Markup(
        '<svg role="img" aria-label="{0}" class="matrix" viewBox="0 0 {1} {2}" width="{1}" height="{2}">{3}</svg>'
    )
    return picture.format(title, width, height, Markup("").join(marks))


def strong_pairs(correlations: Any, least: float) -> list[dict[str, Any]]:
    """Return the pairs of features with at least so strong a correlation, the strongest first.

    >>> strong_pairs({"features": ["a", "b"], "values": [[1.0, -0.8], [-0.8, 1.0]]}, 0.5)
    [{'one': 'a', 'other': 'b', 'value': -0.8}]
    """
    if not correlations:
        return []
    names, values = correlations["features"], correlations["values"]
    pairs = [
        {"one": names[column], "other": names[row], "value": values[row][column]}
        for row in range(len(names))
        for column in range(row)
        if abs(values[row][column]) >= least
    ]
    return sorted(pairs, key=lambda pair: (-abs(pair["value"]), pair["one"], pair["other"]))


def _cell(x: int, y: int, value: float, *, is_own: bool) -> Markup:
    step = sum(abs(value) >= edge for edge in STEPS)
    if is_own:
        return Markup('<rect class="own" x="{}" y="{}" width="{}" height="{}"/>').format(x, y, CELL - 1, CELL - 1)
    kind = f"{'c-down' if value < 0 else 'c-up'} c{step}"
    square = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(kind, x, y, CELL - 1, CELL - 1)
    text = f"{value:.1f}".replace("-0.", "−.").replace("0.", ".").replace("1.0", "1")
    if step < 2:
        return square
    number = Markup('<text class="{}" x="{}" y="{}" text-anchor="middle">{}</text>')
    return square + number.format("on-dark" if step > 4 else "on-pale", x + (CELL - 1) / 2, y + 15.5, text)


def _short(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"
