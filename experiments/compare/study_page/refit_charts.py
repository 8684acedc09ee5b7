"""The learning curve and the front of a study as charts."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from experiments.compare.study_page.history_chart import score_axis
from pipelines.charts.plot import Axis, Plot

WIDTH, HEIGHT, LEFT = 420, 260, 50


def learning_chart(curve: Mapping[str, Any]) -> Markup:
    """Return the AUC against rows or months, each point with the interval of its difference to all rows."""
    if "missing" in curve:
        return Markup("")
    points, everything, by = curve["points"], curve["all"], curve["by"]
    ends = [everything["auc"] + one[end] for one in points for end in ("low", "high")]
    names = [_name(one, by) for one in points] + ["all" if by == "months" else f"{everything['rows']:,.0f}, all"]
    places = _places(points, everything, by)
    x = Axis("months of history" if by == "months" else "rows fitted on", places[0] - 0.25, places[-1] + 0.25,
             places, lambda value: names[places.index(value)])  # fmt: skip
    y = score_axis([*ends, everything["auc"]])
    plot = Plot("AUC against what is fitted on.", x, y, left=LEFT, width=WIDTH, height=HEIGHT)
    plot.segment((x.low, everything["auc"]), (x.high, everything["auc"]), "reference dashed")
    plot.line([*zip(places, [*(one["auc"] for one in points), everything["auc"]], strict=True)], "series")
    for place, one in zip(places, points, strict=False):
        reach = (everything["auc"] + one["low"], everything["auc"] + one["high"])
        text = f"{one['step']}, {one['rows']:,.0f} rows: AUC {one['auc']:.4f}, {one['difference']:+.4f} to all rows"
        plot.interval((place, one["auc"]), reach, "series", text)
    plot.interval((places[-1], everything["auc"]), None, "series", f"all rows: AUC {everything['auc']:.4f}")
    return plot.svg()


def _places(points: Sequence[Mapping[str, Any]], everything: Mapping[str, Any], by: str) -> list[float]:
    """Return where the points are: rows on a logarithmic axis, months one after the other."""
    if by == "months":
        return [float(place) for place in range(len(points) + 1)]
    return [math.log2(one["rows"]) for one in (*points, everything)]


def _name(point: Mapping[str, Any], by: str) -> str:
    return str(point["months"]) if by == "months" else f"{point['rows']:,.0f}"


def front_chart(front: Mapping[str, Any]) -> Markup:
    """Return the scores of all trials against the second objective, and the front through the best of them."""
    points = front["points"]
    if len(points) < 2:
        return Markup("")
    members = [one for one in points if one["on_front"]]
    lowest = min(one["value"] for one in members)
    spread = max(one["value"] for one in members) - lowest
    shown = [one for one in points if one["value"] >= lowest - spread - 0.005]  # others would flatten the front
    x = Axis.over(front["second"], [one["second"] for one in shown], lambda value: f"{value:.3g}")
    y = score_axis([one["value"] for one in shown])
    plot = Plot(f"AUC against {front['second']}.", x, y, left=LEFT, width=WIDTH, height=HEIGHT)
    plot.line([(one["second"], one["value"]) for one in sorted(members, key=lambda one: one["second"])], "pale")
    for one in shown:
        text = f"trial {one['trial']}: AUC {one['value']:.4f}, {front['second']} {one['second']:.4g}"
        plot.interval((one["second"], one["value"]), None, "series" if one["on_front"] else "other", text)
    return plot.svg()
