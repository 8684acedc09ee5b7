"""The bars of a move as Plotly draws them, for the run in the Evidently workspace."""

import html
from typing import Any

from monitoring.measures.move import Move
from monitoring.report.bars import Bar, bars_of
from monitoring.thresholds.thresholds import Level

GREY, BLUE = "#a3abb6", "#1f6feb"
COLOURS = {Level.ACT: "#c62828", Level.WATCH: "#e08a00", Level.QUIET: BLUE, Level.TOO_SMALL: BLUE}
LONGEST_TICK = 18
LEGEND = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}
MODEBAR = {"remove": ["zoom", "pan", "select", "lasso", "zoomin", "zoomout", "autoscale", "resetscale"]}


def layout(move: Move) -> dict[str, Any]:
    """Return Plotly's layout of the move's chart: bins on the x axis, shares on the y axis."""
    labels = [bar.label for bar in bars_of(move)]
    ticks = [label if len(label) <= LONGEST_TICK else f"{label[:LONGEST_TICK]}…" for label in labels]
    return {
        "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
        "xaxis": {"automargin": True, "tickvals": [*range(len(ticks))], "ticktext": [*map(html.escape, ticks)]},
        "yaxis": {"automargin": True, "tickformat": ".0%", "rangemode": "tozero"},
        "legend": LEGEND,
        "modebar": MODEBAR,
    }


def chart_bars(move: Move) -> list[dict[str, Any]]:
    """Return Plotly's bars: the share of rows in each bin, in the reference and in the window."""
    bars = bars_of(move)
    return [
        _series("reference", bars, [(bar.reference, bar.reference_rows) for bar in bars], GREY),
        _series("current", bars, [(bar.current, bar.rows) for bar in bars], COLOURS[move.judgement.level]),
    ]


def _series(name: str, bars: list[Bar], heights: list[tuple[float, int]], colour: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "marker": {"color": colour},
        "x": [*range(len(bars))],
        "y": [share for share, _ in heights],
        "customdata": [[html.escape(bar.label), rows] for bar, (_, rows) in zip(bars, heights, strict=True)],
        "hovertemplate": "%{customdata[0]}<br>%{y:.1%}, %{customdata[1]:,} rows",
    }
