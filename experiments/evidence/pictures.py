"""Charts of a version's evidence, for the model document and for MLflow; empty where evidence is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from pipelines.charts.number_formats import is_known, number, percent
from pipelines.charts.plot import Axis, Plot
from pipelines.charts.standalone import write_chart

Record = Mapping[str, Any]
"""A part of a JSON record."""

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
MOST_LABELS = 6
STEPS = 30


def _whole_percent(share: float) -> str:
    return percent(share, 0)


def search_course(best_so_far: Sequence[float]) -> Markup:
    """Return the best cross-validated AUC after each trial."""
    if len(best_so_far) < 2:
        return Markup("")
    trials, first, last = len(best_so_far), best_so_far[0], best_so_far[-1]
    description = f"The best cross-validated AUC rose from {first:.4f} to {last:.4f} over {trials} trials."
    across = Axis.over("trial", [1, trials], lambda x: f"{x:.0f}")
    across = replace(across, ticks=[tick for tick in across.ticks if tick == round(tick)])
    plot = Plot(description, across, Axis.over("", list(best_so_far), _digits_for(best_so_far)), left=52)
    plot.line(_steps(best_so_far), "ink")
    plot.dot(trials, last, "ink")
    plot.text(trials, last, f"{last:.4f}", anchor="end", shift=15)
    return plot.svg()


def _digits_for(values: Sequence[float]) -> Any:
    span = max(values) - min(values)
    digits = 4 if span < 0.003 else 3 if span < 0.03 else 2
    return lambda y: f"{y:.{digits}f}"


def _steps(values: Sequence[float]) -> list[tuple[float, float]]:
    points = [(1.0, values[0])]
    for trial, value in enumerate(values[1:], start=2):
        points += [(float(trial), points[-1][1]), (float(trial), value)]
    return points


def roc(separation: Sequence[Record], auc: Record | None) -> Markup:
    """Return which shares of the good and the bad applications each cut-off declines."""
    if not separation:
        return Markup("")
    figure = f"AUC {_estimate(auc)}"
    description = f"ROC curve, {figure}; the diagonal is a random score."
    x = Axis("share of good applications declined", 0, 1, SHARES, _whole_percent)
    plot = Plot(description, x, Axis("", 0, 1, SHARES, _whole_percent))
    plot.line([(0, 0), (1, 1)], "pale dashed")
    plot.line([(0, 0), *((one["good"], one["bad"]) for one in separation)], "bad")
    plot.text(0.97, 0.1, figure, anchor="end")
    plot.text(0.02, 1.0, "share of bad declined", "quiet", shift=12)
    return plot.svg()


def kolmogorov_smirnov(separation: Sequence[Record], ks: Record | None) -> Markup:
    """Return the two cumulative distributions over points, and their largest distance."""
    if len(separation) < 2:
        return Markup("")
    widest = max(separation, key=lambda one: abs(one["bad"] - one["good"]))
    figure = f"KS {_estimate(ks)}"
    description = f"Cumulative shares of bad and good applications by points; {figure}, at {widest['points']} points."
    x = Axis.over("points", [one["points"] for one in separation], lambda v: f"{v:.0f}", ticks=7)
    plot = Plot(description, x, Axis("", 0, 1, SHARES, _whole_percent))
    for outcome in ("good", "bad"):
        plot.line([(one["points"], one[outcome]) for one in separation], outcome)
    plot.segment((widest["points"], widest["good"]), (widest["points"], widest["bad"]), "ink dashed")
    _name_both(plot, separation)
    plot.text(x.high, 0.04, figure, anchor="end")
    return plot.svg()


def score_by_outcome(separation: Sequence[Record]) -> Markup:
    """Return the distribution of points of the good and of the bad applications, in equal steps."""
    if len(separation) < 2:
        return Markup("")
    points = [one["points"] for one in separation]
    x = Axis.over("points", points, lambda v: f"{v:.0f}", ticks=7)
    step = (x.high - x.low) / STEPS
    shares = {
        outcome: np.histogram(
            points, STEPS, (x.low, x.high), weights=np.diff([one[outcome] for one in separation], prepend=0)
        )[0]
        for outcome in ("good", "bad")
    }
    tallest = max(float(one.max()) for one in shares.values())
    plot = Plot(
        "Distribution of points of good and of bad applications.", x, Axis.over("", [0, tallest], _whole_percent)
    )
    for outcome, share in shares.items():
        plot.line([(x.low + step * (at + 0.5), float(one)) for at, one in enumerate(share)], outcome)
    plot.text(x.high, plot.y.high, "good", "name-good", anchor="end", shift=10)
    plot.text(x.high, plot.y.high, "bad", "name-bad", anchor="end", shift=23)
    return plot.svg()


def _name_both(plot: Plot, separation: Sequence[Record]) -> None:
    """Write each curve's name beside its median."""
    for outcome, anchor, shift, step in (("bad", "end", -4, -1), ("good", "start", 12, 1)):
        half = next(one for one in separation if one[outcome] >= 0.5)
        reach = (plot.x.high - plot.x.low) * 0.02 * step
        plot.text(half["points"] + reach, half[outcome], outcome, f"name-{outcome}", anchor=anchor, shift=shift)


def calibration(curve: Sequence[Record]) -> Markup:
    """Return observed against predicted bad rates, each group with its interval."""
    if not curve:
        return Markup("")
    top = max(max(one["high"], one["predicted"]) for one in curve)
    outside = sum(not one["low"] <= one["predicted"] <= one["high"] for one in curve)
    description = f"Observed against predicted bad rate in {len(curve)} groups; {outside} intervals miss the diagonal."
    x = Axis.over("predicted bad rate", [0, top], _whole_percent)
    plot = Plot(description, x, Axis("", x.low, x.high, x.ticks, x.format))
    plot.line([(0, 0), (x.high, x.high)], "pale dashed")
    for one in curve:
        plot.segment((one["predicted"], one["low"]), (one["predicted"], one["high"]), "reach")
        plot.dot(one["predicted"], one["observed"], "bad")
    plot.text(0, x.high, "observed bad rate, 95% interval", "quiet", shift=12)
    return plot.svg()


def score_distribution(bins: Sequence[Record]) -> Markup:
    """Return the shares of development and test applications in each bin of points."""
    bins = [one for one in bins if one["development"] or one["test"]]
    if len(bins) < 2:
        return Markup("")
    tallest = max(max(one["development"], one["test"]) for one in bins)
    description = f"Shares of development and test applications in {len(bins)} bins of points."
    ticks = _thinned(len(bins))
    x = Axis("points", 0, len(bins), [index + 0.5 for index in ticks], lambda v: _start_of(bins[int(v)]["label"]))
    plot = Plot(description, x, Axis.over("", [0, tallest * 1.15], _whole_percent))
    for index, one in enumerate(bins):
        plot.bar((index + 0.08, index + 0.92), one["development"], "fill")
    outline = [(index + side, one["test"]) for index, one in enumerate(bins) for side in (0.0, 1.0)]
    plot.line(outline, "bad")
    plot.text(len(bins), plot.y.high, "bars: development", "quiet", anchor="end", shift=10)
    plot.text(len(bins), plot.y.high, "line: test", "name-bad", anchor="end", shift=23)
    return plot.svg()


def _thinned(bins: int) -> list[int]:
    step = -(-bins // MOST_LABELS)
    return list(range(0, bins, step))


def _start_of(label: str) -> str:
    return "≤ " + label.removeprefix("up to ") if label.startswith("up to ") else label.partition(" to ")[0]


def profit_curve(cutoffs: Sequence[Record]) -> Markup:
    """Return the profit per unit applied for at each cut-off, with its interval and the policy's cut-off."""
    measured = [one for one in cutoffs if is_known(one.get("profit"))]
    if len(measured) < 2:
        return Markup("")
    values = [
        one[name] for one in measured for name in ("profit", "profit_low", "profit_high") if is_known(one.get(name))
    ]
    ours = next((one for one in measured if one.get("is_policy")), None)
    description = "Profit per unit applied for at each cut-off" + (
        f"; at the policy's {ours['approve_from']} points it is {percent(ours['profit'], 2)}." if ours else "."
    )
    x = Axis.over("approve from, points", [one["approve_from"] for one in measured], lambda v: f"{v:.0f}")
    plot = Plot(description, x, Axis.over("", [0, *values], lambda v: percent(v, 1)))
    banded = [one for one in measured if is_known(one.get("profit_low")) and is_known(one.get("profit_high"))]
    plot.area([(one["approve_from"], one["profit_low"], one["profit_high"]) for one in banded], "band")
    plot.segment((x.low, 0), (x.high, 0), "axis")
    plot.line([(one["approve_from"], one["profit"]) for one in measured], "good")
    if ours:
        plot.dot(ours["approve_from"], ours["profit"], "ink", 3.2)
        plot.text(ours["approve_from"], ours["profit"], f"policy: {ours['approve_from']}", anchor="middle", shift=-8)
    return plot.svg()


def trade_off(cutoffs: Sequence[Record]) -> Markup:
    """Return the bad rate among the approved against the share approved, one dot for each cut-off."""
    measured = [one for one in cutoffs if is_known(one.get("bad_rate")) and is_known(one.get("approval_rate"))]
    if len(measured) < 2:
        return Markup("")
    description = "Bad rate among the approved against the share approved, at each cut-off."
    top = max(one["bad_rate"] for one in measured)
    x = Axis("share approved", 0, 1, SHARES, _whole_percent)
    plot = Plot(description, x, Axis.over("", [0, top], _whole_percent))
    plot.line([(one["approval_rate"], one["bad_rate"]) for one in measured], "bad")
    for one in measured:
        plot.dot(one["approval_rate"], one["bad_rate"], "ink" if one.get("is_policy") else "bad", 2.2)
        if one.get("is_policy"):
            figures = f"policy: {percent(one['approval_rate'], 0)} approved, {percent(one['bad_rate'])} bad"
            anchor = "end" if one["approval_rate"] > 0.5 else "start"
            plot.text(one["approval_rate"], one["bad_rate"], figures, anchor=anchor, shift=-9)
    plot.text(0.02, plot.y.high, "bad rate among the approved", "quiet", shift=12)
    return plot.svg()


def vintages(rows: Sequence[Record]) -> Markup:
    """Return the AUC of each vintage that is large enough, with its interval."""
    measured = [one for one in rows if one.get("enough") and is_known((one.get("measures") or {}).get("auc"))]
    if len(measured) < 2:
        return Markup("")
    estimates: list[Mapping[str, Any]] = [one["measures"]["auc"] for one in measured]
    description = f"AUC by vintage, from {measured[0]['vintage']} to {measured[-1]['vintage']}, with 95% intervals."
    ticks = _thinned(len(measured))
    x = Axis("vintage", -0.5, len(measured) - 0.5, ticks, lambda v: str(measured[int(v)]["vintage"]))
    y = Axis.over("", [one[end] for one in estimates for end in ("low", "high")], lambda v: number(v, 2))
    plot = Plot(description, x, y)
    for index, one in enumerate(estimates):
        plot.segment((index, one["low"]), (index, one["high"]), "reach")
        plot.dot(index, one["value"], "ink")
    return plot.svg()


def _estimate(estimate: Record | None) -> str:
    if not estimate:
        return "not measured"
    return f"{number(estimate['value'])} ({number(estimate['low'])} to {number(estimate['high'])})"


def write_pictures(folder: Path, evaluation: Record, separation: Sequence[Record], title: str) -> None:
    """Write the charts of an evaluation as SVG files: ROC, KS, calibration and the distribution of points."""
    measures = evaluation["measures"]
    charts = {
        "roc": roc(separation, measures["auc"]),
        "kolmogorov_smirnov": kolmogorov_smirnov(separation, measures["ks"]),
        "calibration": calibration(evaluation["curve"]),
        "distribution": score_by_outcome(separation),
    }
    for name, chart in charts.items():
        write_chart(folder / f"{name}.svg", chart, title)


PICTURES = {
    "search_course": search_course,
    "roc": roc,
    "kolmogorov_smirnov": kolmogorov_smirnov,
    "calibration": calibration,
    "score_distribution": score_distribution,
    "profit_curve": profit_curve,
    "trade_off": trade_off,
    "vintages": vintages,
}
