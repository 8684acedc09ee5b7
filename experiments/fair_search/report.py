"""How a front is shown: a table for people, and a picture of what fairness costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from experiments.evidence.figures import BAD, DOTS_PER_INCH, GOOD, INK, PALE
from experiments.fair_search.points import FairPoint
from experiments.search.study import TrialResult


def as_table(points: Sequence[FairPoint], chosen: FairPoint) -> Any:
    """Return the front as a table, most accurate first, the recommended version marked."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    levels = list(points[0].test_rates)
    for title in ("", "version", "search Gini", "gap", "test Gini (95% interval)", "gap", *levels):
        table.add_column(title, justify="left" if title == "" else "right", no_wrap=True)
    for one in points:
        gini = one.test_gini
        table.add_row(
            "★ recommended" if one == chosen else "most accurate" if one == points[0] else "",
            str(one.version),
            f"{one.cv_gini:.3f}",
            f"{one.cv_gap:.1%}",
            f"{gini['value']:.3f} ({gini['low']:.3f} to {gini['high']:.3f})",
            "-" if one.test_gap is None else f"{one.test_gap:.1%}",
            *(f"{one.test_rates[level]['value']:.1%}" for level in levels),
        )
    return table


def draw_front(path: Path, result: Mapping[str, Any], trials: Sequence[TrialResult]) -> None:
    """Write a picture of all trials, the front through them, and its registered versions."""
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(8, 5), layout="constrained")
        _draw(figure.subplots(), result, trials)
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
        figure.savefig(path, dpi=DOTS_PER_INCH)


def _draw(axes: Axes, result: Mapping[str, Any], trials: Sequence[TrialResult]) -> None:
    front, title = result["front"], f"what fairness costs, at {result['approval_rate']:.0%} approved"
    gaps, ginis = _positions(front)
    tried = [{"cv_gap": one.unfairness, "cv_gini": 2 * one.value - 1} for one in trials]
    axes.scatter(*_positions(tried), s=14, color=PALE, label="trial")
    axes.step(gaps, ginis, where="pre", color=INK, linewidth=1)
    axes.scatter(gaps, ginis, s=36, color=GOOD, zorder=3, label="registered version")
    chosen = _positions([one for one in front if one["version"] == result["recommended"]])
    axes.scatter(*chosen, s=130, facecolors="none", edgecolors=BAD, linewidths=2, zorder=4, label="recommended")
    for one in front:
        axes.annotate(str(one["version"]), (one["cv_gap"], one["cv_gini"]), xytext=(6, 6), textcoords="offset points")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set(xlabel=f"gap in approval rates by {result['attribute']}, held out", ylabel="Gini, cross-validated")
    shown = max(min(ginis) - (max(ginis) - min(ginis)) - 0.01, axes.get_ylim()[0])
    axes.set_ylim(bottom=shown)  # trials far below the front would press it flat
    axes.set_title(f"{result['candidate']}: {title}", fontsize=11, color=INK, loc="left")


def _positions(points: Sequence[Mapping[str, Any]]) -> tuple[list[float], list[float]]:
    return [one["cv_gap"] for one in points], [one["cv_gini"] for one in points]
