"""The history of a search as a chart: each trial by its family, and the best score so far."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import floor, log10
from statistics import quantiles
from typing import Any

from markupsafe import Markup

from pipelines.charts.number_formats import number
from pipelines.charts.plot import Axis, Plot

WIDTH, HEIGHT, LEFT = 420, 260, 50
REACH = 1.5
"""Scores further below the lower quartile than so many times its distance from the best are drawn at the edge."""


def family_kinds(families: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the class in the style sheet of each family, by name: the colour stays whatever the order."""
    return {name: f"f{place % 8}" for place, name in enumerate(sorted(str(one["family"]) for one in families))}


def history_chart(history: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> Markup:
    """Return the scores of all trials by number, with the best so far as a line."""
    if len(history) < 2:
        return Markup("")
    values = [float(one["value"]) for one in history]
    lowest = lowest_shown(values)
    numbers = [float(one["trial"]) for one in history]
    text = f"Scores of {len(history)} trials, from {min(values):.4f} to {max(values):.4f}."
    x = Axis.over("trial", [0, *numbers], lambda value: f"{value:.0f}")
    y = score_axis([max(lowest, min(values)), max(values)])
    plot = Plot(text, x, y, left=LEFT, width=WIDTH, height=HEIGHT)
    plot.line(_best_so_far(numbers, values, y.low), "ink")
    for one, value in zip(history, values, strict=True):
        tooltip = f"trial {one['trial']}, {one['family']}: {value:.4f}"
        kind = kinds[str(one["family"])] + (" clipped" if value < y.low else "")
        plot.interval((float(one["trial"]), max(value, y.low)), None, kind, tooltip)
    return plot.svg()


def score_axis(values: Sequence[float], *, ticks: int = 5) -> Axis:
    """Return an upright axis over scores, labelled with as many decimals as tell its ticks apart."""
    axis = Axis.over("", values, str, ticks=ticks)
    digits = max(3, -floor(log10(axis.ticks[1] - axis.ticks[0]) + 1e-9))
    return replace(axis, format=lambda value: number(value, digits))


def lowest_shown(values: Sequence[float]) -> float:
    """Return the score below which trials are drawn at the edge, so that a few bad ones do not flatten the others."""
    if len(values) < 4:
        return min(values)
    lower = quantiles(values, n=4)[0]
    return lower - REACH * (max(values) - lower)


def _best_so_far(numbers: Sequence[float], values: Sequence[float], low: float) -> list[tuple[float, float]]:
    """Return the corners of the line of the best score so far."""
    best, corners = max(values[0], low), [(numbers[0], max(values[0], low))]
    for place, value in zip(numbers[1:], values[1:], strict=True):
        corners += [(place, best), (place, max(best, value))]
        best = max(best, value)
    return corners
