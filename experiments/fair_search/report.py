"""The front of a fair search as a table and as a chart."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from experiments.fair_search.points import FairPoint
from experiments.search.front import second_of
from experiments.search.front_chart import FrontPoint, draw_front, lowest_shown
from experiments.search.trial_result import TrialResult
from pipelines.charts.number_formats import number, percent
from pipelines.charts.plot import Axis
from pipelines.command.table import FittedTable, TableColumn

MARGIN = 0.01
"""So much Gini below the front is shown at least."""


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
    ginis = [one["cv_gini"] for one in result["front"]]
    lowest = lowest_shown(ginis, MARGIN)
    tried = [(second_of(one), 2 * one.value - 1) for one in trials]
    return draw_front(
        "Gini against the gap in approval rates.",
        Axis.over(
            f"gap in approval rates by {result['attribute']}, held out",
            [0, *(gap for gap, gini in tried if gini >= lowest)],
            lambda value: percent(value, 0),
        ),
        Axis.over("Gini, cross-validated", [lowest, *ginis], lambda value: number(value, 2)),
        tried=tried,
        front=[_named(one, result) for one in result["front"]],
    )


def _named(point: Mapping[str, Any], result: Mapping[str, Any]) -> FrontPoint:
    """Return a point of the front with the number of its version."""
    is_recommended = point["version"] == result["recommended"]
    name = f"{point['version']}, recommended" if is_recommended else str(point["version"])
    return FrontPoint(point["cv_gap"], point["cv_gini"], name, is_recommended)
