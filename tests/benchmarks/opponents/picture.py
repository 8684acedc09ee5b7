"""The picture of test AUC against wall time, drawn without a display and readable on a phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from tests.benchmarks.opponents.measured import Measured
from tests.benchmarks.opponents.plan import Series
from tests.benchmarks.opponents.split_effects import SplitEffects
from tests.benchmarks.opponents.systems import AUTOGLUON, BAG_BLEND, FLAML, GLUE, THINFILE

INK, GRID = "#22313f", "#e3e6e9"
LOOKS: dict[str, tuple[str, str, str]] = {
    # search: name, colour, marker
    THINFILE.name: ("Thinfile", "#c0281c", "o"),
    AUTOGLUON.name: ("AutoGluon, best_quality", "#7a78ab", "s"),
    FLAML.name: ("FLAML", "#4f8a80", "^"),
    BAG_BLEND.name: ("fixed blend of bags", "#9a7b4f", "D"),
    GLUE.name: ("Optuna + CatBoost, 40 trials", "#8a8f98", "v"),
}
STYLE: dict[Any, Any] = {
    "font.size": 10.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "svg.hashsalt": "search",
}
WIDTH, HEIGHT, HEADING = 6.4, 2.3, 0.75
"""Inches: of a panel, and of the legend above all."""

CAPTION = """seconds from start to end of the process, on two cores
lines: 95% intervals of the mean, without what the splits differ in"""

TICKS = (10, 20, 30, 60, 120, 300, 600)


@dataclass(frozen=True)
class Point:
    """A search at one time limit: mean seconds of its process, mean AUC on average splits, half its 95% interval."""

    system: str
    wall: float
    auc: float
    reach: float


def points_of(series: Series, measured: Sequence[Measured]) -> list[Point]:
    """Return the points of a table; `series` has the time limit at which all splits and searches were measured."""
    here = [one for one in measured if one.data == series.data.name and one.auc is not None and one.system in LOOKS]
    basis = {(one.system, one.seed): one.auc or 0 for one in here if one.seconds == series.seconds}
    if not basis:
        return []
    shared = fmean(one.shared for one in here) if series.data.is_resampled else 0.0
    effects = SplitEffects.of(basis, shared)
    points = []
    for system, seconds in dict.fromkeys((one.system, one.seconds) for one in here):
        some = [one for one in here if (one.system, one.seconds) == (system, seconds) and one.seed in effects.effects]
        if some:
            auc = effects.mean({one.seed: one.auc or 0 for one in some})
            points.append(Point(system, fmean(one.wall for one in some), auc, effects.reach(len(some))))
    return points


def draw(compared: Sequence[Series], measured: Sequence[Measured], path: Path) -> None:
    """Write one panel per table: the AUC of each search against the seconds of its process, with intervals."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    panels = [(series, points) for series in compared if (points := points_of(series, measured))]
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, HEADING + HEIGHT * len(panels)), layout="constrained", facecolor="white")
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axis, (series, points) in zip(axes, panels, strict=True):
            _panel(axis, series, points)
        axes[-1].set_xlabel(CAPTION)
        named = [pair for axis in axes for pair in zip(*axis.get_legend_handles_labels(), strict=True)]
        handles = {name: handle for handle, name in named}
        names = [name for name, _, _ in LOOKS.values() if name in handles]
        figure.legend([handles[name] for name in names], names, loc="outside upper left", ncols=2, frameon=False)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=200)


def _panel(axis: Any, series: Series, points: Sequence[Point]) -> None:
    axis.set_title(f"{series.data.title}, {len(series.seeds)} {'splits' if series.data.is_resampled else 'markets'}")
    for system, (name, colour, marker) in LOOKS.items():
        some = sorted((point for point in points if point.system == system), key=lambda point: point.wall)
        if some:
            axis.errorbar([one.wall for one in some], [one.auc for one in some], [one.reach for one in some],
                          label=name, color=colour, marker=marker, markersize=6, linewidth=1.2, elinewidth=1.6,
                          zorder=3 if system == THINFILE.name else 2)  # fmt: skip
    walls = [point.wall for point in points]
    low, high = min(walls) / 1.25, max(walls) * 1.25
    left, right = axis.get_xlim() if axis.get_xscale() == "log" else (low, high)
    axis.set_xscale("log")
    axis.set_xlim(min(left, low), max(right, high))
    axis.set_xticks(TICKS, [f"{tick} s" for tick in TICKS])
    axis.minorticks_off()
    axis.set_xlim(min(left, low), max(right, high))
    axis.set_ylabel("test AUC")
    axis.grid(axis="y", color=GRID, linewidth=0.8)
    axis.set_axisbelow(True)
