"""The parameters of a family's trials as charts: one slice for each, and all of them as parallel coordinates."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from experiments.compare.study_page.history_chart import lowest_shown, score_axis
from pipelines.charts.plot import Axis, Plot

WIDTH, HEIGHT, LEFT = 250, 175, 46
MOST_PARAMETERS = 6
FEWEST_TRIALS = 4
SHADES = 4
"""Trials are shaded by their rank: the best quarter darkest."""

ACROSS, ROW, EDGE, NAME = 360, 50, 16, 15
"""Parallel coordinates: the width, the distance between two axes, the margin, and the height of a name, in pixels."""

Tried = Sequence[Mapping[str, Any]]
"""The trials of a family: `trial`, `value` and `parameters` of each."""


def shown_parameters(family: Mapping[str, Any]) -> list[str]:
    """Return the numeric parameters that varied between the trials of a family, the most important ones first."""
    tried: Tried = family["tried"]
    names = [name for name in tried[0]["parameters"] if all(_is_number(one["parameters"].get(name)) for one in tried)]
    varied = [name for name in names if len({one["parameters"][name] for one in tried}) > 1]
    shares = family["importances"].get("shares", {})
    return sorted(varied, key=lambda name: -shares.get(name, 0.0))[:MOST_PARAMETERS]


def slices(family: Mapping[str, Any]) -> list[tuple[str, Markup]]:
    """Return for each parameter a chart of the scores against its values; none for very few trials."""
    if len(family["tried"]) < FEWEST_TRIALS:
        return []
    return [(name, _slice(family["tried"], name, _scale(family, name))) for name in shown_parameters(family)]


def _slice(tried: Tried, name: str, scale: "_Scale") -> Markup:
    scores = [float(one["value"]) for one in tried]
    x = scale.axis([one["parameters"][name] for one in tried])
    y = score_axis([max(lowest_shown(scores), min(scores)), max(scores)], ticks=4)
    plot = Plot(f"Score against {name}.", x, y, left=LEFT, width=WIDTH, height=HEIGHT)
    for one, shade in zip(tried, _shades(scores), strict=True):
        text = f"trial {one['trial']}: {name} {one['parameters'][name]:.4g}, {one['value']:.4f}"
        at = scale.position(one["parameters"][name])
        plot.interval((at, max(float(one["value"]), y.low)), None, f"shade{shade}", text)
    return plot.svg()


def parallel_coordinates(family: Mapping[str, Any]) -> Markup:
    """Return all trials as lines from parameter to parameter and to the score, each an axis from left to right."""
    tried, names = family["tried"], shown_parameters(family)
    if len(tried) < FEWEST_TRIALS or len(names) < 2:
        return Markup("")
    scores = [float(one["value"]) for one in tried]
    axes = [(name, _scale(family, name), [one["parameters"][name] for one in tried]) for name in names]
    axes.append(("cross-validated AUC", _Scale(False), scores))
    marks = list[Markup]()
    order = sorted(range(len(tried)), key=lambda place: scores[place])  # the best lines are drawn last, on top
    shades = _shades(scores)
    for place in order:
        points = [
            (_across(scale, values, values[place]), EDGE + NAME + row * ROW)
            for row, (_, scale, values) in enumerate(axes)
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        line = Markup('<polyline class="shade{}" points="{}"><title>trial {}: {:.4f}</title></polyline>')
        marks.append(line.format(shades[place], path, tried[place]["trial"], scores[place]))
    marks += [_axis(place, name, scale, values) for place, (name, scale, values) in enumerate(axes)]
    height = EDGE + NAME + (len(axes) - 1) * ROW + 22
    text = f"Parallel coordinates of {len(tried)} trials over {len(names)} parameters and the score."
    picture = Markup(
        '<svg class="parallel" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>'
    )
    return picture.format(text, ACROSS, height, ACROSS, height, Markup("").join(marks))


def _axis(place: int, name: str, scale: "_Scale", values: Sequence[float]) -> Markup:
    y = EDGE + NAME + place * ROW
    frame = Markup(
        '<line class="axis" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/><text class="title" x="{0}" y="{3}">{4}</text>'
        '<text class="tick" x="{0}" y="{5}">{6}</text><text class="tick" x="{1}" y="{5}" text-anchor="end">{7}</text>'
    )
    ends = (scale.text(min(values)), scale.text(max(values)))
    return frame.format(EDGE, ACROSS - EDGE, y, y - 6, name, y + 13, *ends)


def _across(scale: "_Scale", values: Sequence[float], value: float) -> float:
    low, high = scale.position(min(values)), scale.position(max(values))
    return EDGE + (scale.position(value) - low) / (high - low or 1.0) * (ACROSS - 2 * EDGE)


class _Scale:
    """Where values are on an axis: linear or logarithmic."""

    def __init__(self, is_logarithmic: bool) -> None:
        self._is_logarithmic = is_logarithmic

    def position(self, value: float) -> float:
        return math.log10(value) if self._is_logarithmic else float(value)

    def text(self, value: float) -> str:
        return f"{value:.3g}".replace("-", "−")

    def axis(self, values: Sequence[float]) -> Axis:
        if not self._is_logarithmic:
            return Axis.over("", list(map(float, values)), self.text, ticks=3)
        low, high = math.log10(min(values)), math.log10(max(values))
        ticks = [low + step * (high - low) / 2 for step in range(3)] if high > low else [low]
        margin = (high - low) * 0.04 or 0.1
        return Axis("", low - margin, high + margin, ticks, lambda value: self.text(10**value))


def _scale(family: Mapping[str, Any], name: str) -> _Scale:
    positive = all(one["parameters"][name] > 0 for one in family["tried"])
    return _Scale(name in family["logarithmic"] and positive)


def _shades(scores: Sequence[float]) -> list[int]:
    """Return the shade of each score, 0 for the lowest quarter."""
    ranks = sorted(range(len(scores)), key=lambda place: scores[place])
    shades = [0] * len(scores)
    for rank, place in enumerate(ranks):
        shades[place] = rank * SHADES // len(scores)
    return shades


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)
