"""The front of a fair search as a table and as a chart."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from experiments.fair_search.points import FairPoint
from experiments.search.trial_result import TrialResult
from pipelines.charts.number_formats import number, percent
from pipelines.charts.plot import Axis, Plot
from pipelines.command.table import FittedTable, TableColumn


def as_table(points: Sequence[FairPoint], chosen: FairPoint) -> FittedTable:
    """Return the front as a table, most accurate first, the recommended version marked."""
    levels = list(points[0].test_rates)
    columns = [
        TableColumn("", figures=False),
        TableColumn("version"),
        TableColumn("search Gini", rank=2),
        TableColumn("search gap", rank=1),
        TableColumn("test Gini (95% interval)"),
        TableColumn("test gap"),
        *(TableColumn(level, rank=3) for level in levels),
    ]
    table = FittedTable("", columns)
    for one in points:
        gini = one.test_gini
        table.rows.append(
            [
                "★ recommended" if one == chosen else "most accurate" if one == points[0] else "",
                str(one.version),
                f"{one.cv_gini:.3f}",
                f"{one.cv_gap:.1%}",
                f"{gini['value']:.3f} ({gini['low']:.3f} to {gini['high']:.3f})",
                "-" if one.test_gap is None else f"{one.test_gap:.1%}",
                *(f"{one.test_rates[level]['value']:.1%}" for level in levels),
            ]
        )
    return table


def front_chart(result: Mapping[str, Any], trials: Sequence[TrialResult]) -> Markup:
    """Return a chart of all trials, of the front through them, and of its registered versions."""
    front = sorted(result["front"], key=lambda one: one["cv_gap"])
    ginis = [one["cv_gini"] for one in front]
    lowest = min(ginis) - (max(ginis) - min(ginis)) - 0.01  # trials far below the front would flatten the chart
    tried = [
        (one.unfairness, 2 * one.value - 1)
        for one in trials
        if one.unfairness is not None and 2 * one.value - 1 >= lowest
    ]
    x = Axis.over(
        f"gap in approval rates by {result['attribute']}, held out",
        [0, *(gap for gap, _ in tried)],
        lambda v: percent(v, 0),
    )
    plot = Plot("Gini against the gap in approval rates.", x, Axis.over("", [lowest, *ginis], lambda v: number(v, 2)))
    plot.text(x.low, plot.y.high, "Gini, cross-validated", "quiet", shift=-2)
    for gap, gini in tried:
        plot.dot(gap, gini, "fill", 2)
    plot.line([(one["cv_gap"], one["cv_gini"]) for one in front], "pale")
    for one in front:
        is_recommended = one["version"] == result["recommended"]
        plot.dot(one["cv_gap"], one["cv_gini"], "bad" if is_recommended else "ink", 4)
        label = f"{one['version']}, recommended" if is_recommended else str(one["version"])
        plot.text(one["cv_gap"], one["cv_gini"], label, shift=-8)
    return plot.svg()
