"""The chart of a Pareto front: all trials, the line through the front, and its points by name."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipelines.charts.plot import Axis, Plot

TO_THE_LEFT = 0.6
"""From this share of the width on, a name is written to the left of its point."""


@dataclass(frozen=True)
class FrontPoint:
    """A point of a front with its name; one of them may be the chosen one."""

    across: float
    up: float
    name: str
    is_chosen: bool = False


def draw_front(
    alternative: str,
    across: Axis,
    up: Axis,
    *,
    tried: Sequence[tuple[float, float]],
    front: Sequence[FrontPoint],
) -> Markup:
    """Return the chart; trials beyond the axes are left out, and the title of the axis `up` is written above it."""
    plot = Plot(alternative, across, Axis("", up.low, up.high, up.ticks, up.format))
    plot.text(across.low, up.high, up.title, "quiet", shift=-2)
    for x, y in tried:
        if up.low <= y <= up.high and across.low <= x <= across.high:
            plot.dot(x, y, "fill", 2)
    ordered = sorted(front, key=lambda one: one.across)
    plot.line([(one.across, one.up) for one in ordered], "pale")
    for one in ordered:
        plot.dot(one.across, one.up, "bad" if one.is_chosen else "ink", 4)
        is_far = one.across > across.low + TO_THE_LEFT * (across.high - across.low)
        plot.text(one.across, one.up, one.name, anchor="end" if is_far else "start", shift=-8)
    return plot.svg()


def lowest_shown(front: Sequence[float], margin: float) -> float:
    """Return the lowest value that a chart shows: trials far below the front would flatten it.

    >>> round(lowest_shown([0.75, 0.78], 0.01), 2)
    0.71
    """
    return min(front) - (max(front) - min(front)) - margin
