"""Pictures that set a simulated purchase log beside real ones, drawn without a display and readable on a phone."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import norm

from tests.evidence.purchase_logs.distributions import PROBABILITIES, Distributions, Quantiles

if TYPE_CHECKING:
    import pandas as pd

SIMULATED = "simulated"
INK, RANGE, EMPHASIS = "#22313f", "#e9ebee", "#c0281c"
MUTED = ("#9a7b4f", "#4f8a80", "#7a78ab", "#8a8f98")
"""Of real logs, in their order."""

STYLE: dict[Any, Any] = {
    "font.size": 9.5,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
}
HEADING: dict[str, Any] = {"fontsize": 9.5, "fontweight": "bold", "x": 0.01, "ha": "left"}
WIDTH, DOTS_PER_INCH = 6.4, 200
"""Inches and dots: 1,280 pixels wide, with letters that can still be read when that is shrunk to 400."""

PANELS = {
    # quantity: title, ticks
    "interval_days": ("days between purchases", (1, 7, 30, 90, 365)),
    "orders_per_customer": ("orders of a customer in a year", (1, 3, 10, 30, 100, 300)),
    "order_value": ("order value over the median", (0.1, 0.3, 1, 3, 10)),
    "recency_days": ("days since the last order", (1, 7, 30, 90, 365)),
}
TICKS = (0.05, 0.5, 0.95)
CLOSEST = 0.09
"""Of a panel's height: labels lie no closer."""

SKEWED, SKEWED_TICKS = ("orders_", "days_since"), (0, 1, 3, 10, 30, 90)
"""Features whose axis is logarithmic from 1 on."""

LETTERS = 37
"""Of a feature's meaning on a line."""


def draw_distributions(
    path: Path, real: Mapping[str, Distributions], simulated: Distributions, returns: tuple[float, float] | None
) -> Figure:
    """Write and return one panel per quantity: its quantiles in each log, the range of the real ones shaded."""
    with _figure(path, height=7.4 if returns else 6.4) as figure:
        heights = [5.6, 1.0] if returns else [1.0]
        rows = list(figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).flat)
        rows[0].suptitle(
            "A year of purchases: the simulated marketplace among real logs\n"
            "(quantiles; shaded from the smallest real one to the largest)",
            **HEADING,
        )
        for axes, quantity in zip(rows[0].subplots(2, 2).flat, PANELS, strict=True):
            logs = {name: getattr(one, quantity) for name, one in (*real.items(), (SIMULATED, simulated))}
            _quantiles(axes, quantity, logs)
        if returns:
            _returns(rows[1].subplots(), simulated.return_share, returns)
    return figure


def draw_features(path: Path, features: Mapping[str, "pd.DataFrame"], meanings: Mapping[str, str]) -> Figure:
    """Write and return one panel per feature: the median of each log and the half of the applications around it."""
    rows = -(-len(meanings) // 2)
    with _figure(path, height=0.5 + 1.4 * rows) as figure:
        figure.suptitle("The same features, simulated and real: the median and the middle half", **HEADING)
        grid = figure.subplots(rows, 2, sharey=True, squeeze=False)
        for axes, name in zip(grid.flat, meanings, strict=False):
            _halves(axes, {log: _quartiles(table[name]) for log, table in features.items()})
            axes.set_title(fill(meanings[name], LETTERS))
            if name.startswith(SKEWED):
                axes.set_xscale("symlog", linthresh=1)
                axes.set_xticks(SKEWED_TICKS, [str(tick) for tick in SKEWED_TICKS])
                axes.set_xlim(left=-0.2)
                axes.minorticks_off()
    return figure


@contextmanager
def _figure(path: Path, height: float) -> Iterator[Figure]:
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        yield figure
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=DOTS_PER_INCH)


def _colours(logs: Sequence[str]) -> dict[str, str]:
    """Return a colour for each log; the simulated one stands out."""
    real = [name for name in logs if name != SIMULATED]
    return dict(zip(real, MUTED, strict=False)) | {SIMULATED: EMPHASIS}


def _quantiles(axes: Axes, quantity: str, logs: Mapping[str, Quantiles]) -> None:
    title, ticks = PANELS[quantity]
    colours, place = _colours(list(logs)), np.asarray(norm.ppf(PROBABILITIES))
    real = np.array([values for name, values in logs.items() if name != SIMULATED])
    axes.fill_between(place, real.min(axis=0), real.max(axis=0), color=RANGE, linewidth=0)
    for name, values in logs.items():
        axes.plot(place, values, color=colours[name], linewidth=3.2 if name == SIMULATED else 1.6)
    axes.set(title=title, yscale="log", xlim=(place[0], place[-1]))
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xticks(norm.ppf(TICKS), [f"{tick:.0%}" for tick in TICKS])
    _label(axes, {name: values[-1] for name, values in logs.items()}, colours)


def _label(axes: Axes, ends: Mapping[str, float], colours: Mapping[str, str]) -> None:
    """Write the name of each line at its right end, no name over another."""
    low, high = np.log(axes.get_ylim())
    wanted = {name: (np.log(value) - low) / (high - low) for name, value in ends.items()}
    below = 1.0 + CLOSEST
    for name in sorted(wanted, key=lambda one: -wanted[one]):
        below = min(below - CLOSEST, wanted[name])
        weight = "bold" if name == SIMULATED else "normal"
        axes.text(1.03, below, name, transform=axes.transAxes, color=colours[name], va="center", fontweight=weight)


def _returns(axes: Axes, simulated: float, returns: tuple[float, float]) -> None:
    axes.fill_betweenx([-1, 1], *returns, color=RANGE, linewidth=0)
    axes.plot([simulated], [0], "o", color=EMPHASIS, markersize=9)
    axes.annotate(f"  simulated {simulated:.0%}", (simulated, 0), color=EMPHASIS, fontweight="bold", va="center")
    of_lines, of_orders = returns
    range_told = f"of Online Retail's lines {of_lines:.0%}, of its orders {of_orders:.0%}"
    axes.set(title=f"share of orders returned ({range_told})", ylim=(-1, 1), xlim=(0, 0.2), yticks=[])
    axes.set_xticks([0, 0.05, 0.1, 0.15, 0.2], ["0%", "5%", "10%", "15%", "20%"])


def _quartiles(feature: "pd.Series[float]") -> Quantiles:
    return np.asarray(feature.quantile([0.25, 0.5, 0.75]), np.float64)


def _halves(axes: Axes, logs: Mapping[str, Quantiles]) -> None:
    colours = _colours(list(logs))
    for row, (name, (low, median, high)) in enumerate(logs.items()):
        width = 3.2 if name == SIMULATED else 1.8
        axes.plot([low, high], [-row, -row], color=colours[name], linewidth=width, solid_capstyle="round")
        axes.plot([median], [-row], "o", color=colours[name], markersize=2.2 * width)
    axes.set_yticks(range(0, -len(logs), -1), list(logs))
    for label, colour in zip(axes.get_yticklabels(), colours.values(), strict=False):
        label.set(color=colour, fontweight="bold" if colour == EMPHASIS else "normal")
    axes.set_ylim(0.6 - len(logs), 0.6)
    axes.tick_params(axis="y", length=0)
