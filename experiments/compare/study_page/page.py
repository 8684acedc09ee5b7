"""Renders the numbers about a study as one HTML file without scripts or network access."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader

from experiments.compare.against_best import text_of
from experiments.compare.study_page.history_chart import family_kinds, history_chart, lowest_shown
from experiments.compare.study_page.parameter_charts import parallel_coordinates, slices
from experiments.compare.study_page.refit_charts import front_chart, learning_chart
from experiments.document.formatting import FILTERS
from experiments.document.page import IntervalColumn
from experiments.evidence.pictures import calibration
from pipelines.charts.number_formats import number
from pipelines.charts.standalone import style

MOST_FEATURES = 20
"""So many features are listed by permutation importance; the others are counted."""

SECTIONS = {
    "search": "Search",
    "front": "Front",
    "parameters": "Parameters",
    "final": "Registered model",
    "learning": "Learning curve",
    "ablation": "Feature groups",
    "permutation": "Permutation importance",
    "calibration": "Calibration of the best trials",
    "method": "How this was computed",
}


def study_html(numbers: Mapping[str, Any]) -> str:
    """Return the page of a study from its numbers; each section names what is missing, and why."""
    search = numbers["search"]
    sections = {name: title for name, title in SECTIONS.items() if name != "front" or numbers["front"]}
    return (
        _environment()
        .get_template("study.html")
        .render(
            numbers=numbers,
            search=search,
            final=numbers["final"],
            data=numbers["data"],
            best=max((one["value"] for one in search["history"]), default=None),
            sections=sections,
            part=lambda name: _part(numbers, name),
            kinds=family_kinds(search["families"]),
            below=_below_the_edge(search["history"]),
            history_chart=history_chart,
            slices=slices,
            parallel_coordinates=parallel_coordinates,
            learning_chart=learning_chart,
            front_chart=front_chart,
            calibration_chart=calibration,
            intervals=IntervalColumn,
            shrinkage_rows=_shrinkage_rows(numbers["final"]),
            most_features=MOST_FEATURES,
            behind_text=text_of,
            chart_style=style(),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("experiments.compare.study_page"), PackageLoader("experiments.document")]),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS, loss=loss)
    return environment


def loss(value: Any) -> str:
    """Return a loss of AUC; one of exactly 0, as of a feature that a model does not use, has no decimals.

    >>> loss(0.01234), loss(-0.001), loss(0.0)
    ('0.0123', '−0.0010', '0')
    """
    return "0" if value == 0 else number(value, 4)


def _part(numbers: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return what refits show under a name, or why nothing does."""
    refits = numbers["refits"]
    missing: Mapping[str, Any] = {"missing": numbers.get("refits_missing", "it was not computed")}
    return missing if refits is None else refits.get(name, missing)


def _below_the_edge(history: Sequence[Mapping[str, Any]]) -> int:
    values = [one["value"] for one in history]
    return sum(value < lowest_shown(values) for value in values) if values else 0


def _shrinkage_rows(final: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the AUC of the registered model in the search and on the test part, as rows of a table."""
    if "missing" in final:
        return []
    searched = final["search_interval"] or {}
    ends = {end: searched.get(end) for end in ("low", "high")}
    return [
        {"part": "validation, in the search", "value": final["search_auc"], **ends},
        {"part": "test part", **final["test_auc"]},
    ]
