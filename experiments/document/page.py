"""Renders the facts about a version as one HTML file without scripts or network access."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup

from experiments.document.content import content_of
from experiments.document.decision import blocking
from experiments.document.facts import DocumentFacts
from experiments.document.feature_pictures import BarColumn, correlation_matrix, strong_pairs
from experiments.document.formatting import FILTERS
from experiments.evidence.pictures import PICTURES
from pipelines.charts.number_formats import is_known
from pipelines.charts.standalone import style
from pipelines.model_store.files import DOCUMENT_JSON
from pipelines.storage.fingerprint import fingerprint_record

MOST_FEATURES_INSIDE = 30
"""Longer lists of features go on in an appendix."""

MOST_DESCRIBED = 8
"""Features whose bins are shown before the appendix, the most important ones."""

PARTS = (
    "evidence",
    "settings",
    "measured",
    "data",
    "prepared",
    "provenance",
    "verdict",
    "limitations",
    "groups",
)
"""Parts of the content that the templates call by their name alone."""

WIDTH, HEIGHT, EDGE = 120, 14, 4
"""Size of an interval in a table, in pixels."""

SECTIONS = (
    ("verdict", "Verdict"),
    ("purpose", "Purpose and limits of use"),
    ("data", "Data and lineage"),
    ("label", "Label and maturity"),
    ("features", "Features"),
    ("search", "Search"),
    ("evidence", "Evidence"),
    ("swap_set", "Swap set"),
    ("fairness", "Fairness"),
    ("reasons", "Reasons"),
    ("selection", "Selection bias"),
    ("not_measured", "What was not measured"),
    ("limitations", "Limitations"),
    ("approvals", "Approvals, refusals and exceptions"),
    ("provenance", "Provenance and replay"),
)

MEASURES = {
    "auc": ("AUC", "chance that a bad application ranks as riskier than a good one"),
    "gini": ("Gini", "2 AUC − 1"),
    "ks": ("KS", "largest distance between the two distributions"),
    "h_measure": ("H-measure", "separation under one distribution of misclassification costs"),
    "brier": ("Brier", "mean squared error of the PD; lower is better"),
    "log_loss": ("Log loss", "mean negative log-likelihood; lower is better"),
    "expected_to_observed": ("Expected / observed", "predicted over observed defaults; 1 is right"),
    "expected_calibration_error": ("Calibration error", "mean distance between PD and bad rate; 0 is right"),
    "calibration_slope": ("Calibration slope", "1 is right; below 1 the PD is too extreme"),
    "calibration_intercept": ("Calibration intercept", "log-odds; 0 is right; above 0 the PD is too low"),
}


def document(facts: DocumentFacts) -> str:
    """Return the page about a version; each section names the facts that are missing."""
    return page_of(content_of(facts))


def page_of(content: Mapping[str, Any]) -> str:
    """Return the page of a content (see `content_of`)."""
    evidence, settings = content["evidence"], content["settings"]
    about = evidence.get("about") or {}
    features: list[Any] = content["features"]
    return (
        _environment()
        .get_template("document.html")
        .render(
            facts=content,
            **{name: content[name] for name in PARTS},
            about=about,
            policy=about.get("policy") or settings.get("policy") or {},
            own_settings={name: value for name, value in settings.items() if not (name == "policy" and about)},
            shown=features[:MOST_FEATURES_INSIDE],
            described=[one for one in features if one["measures"]],
            most_described=MOST_DESCRIBED,
            sections=SECTIONS,
            json_name=DOCUMENT_JSON,
            content_hash=fingerprint_record(dict(content)),
            measures=MEASURES,
            pictures=PICTURES,
            chart_style=style(),
            intervals=IntervalColumn,
            bars=BarColumn,
            correlation_matrix=correlation_matrix,
            strong_pairs=strong_pairs,
            blocking=blocking,
            flattened=lambda record: list(_flattened(record)),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("experiments.document"),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment


def _flattened(record: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from _flattened(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


class IntervalColumn:
    """A column of intervals drawn to one scale, which covers all of them and the given `bounds`."""

    def __init__(self, rows: Sequence[Any], value: str, low: str, high: str, bounds: Sequence[float] = ()) -> None:
        self._names = (value, low, high)
        self._bounds = [bound for bound in bounds if is_known(bound)]
        values = [float(row[name]) for row in rows for name in self._names if is_known(row.get(name))]
        self._low, self._high = min([*values, *self._bounds], default=0.0), max([*values, *self._bounds], default=1.0)

    def cell(self, row: Any) -> Markup:
        """Draw the interval of one row as a line, its value as a dot, and the bounds as vertical marks."""
        value, low, high = (row.get(name) for name in self._names)
        if not all(map(is_known, (value, low, high))):
            return Markup("")
        marks = [
            Markup('<line class="bound" x1="{0:.1f}" y1="0" x2="{0:.1f}" y2="{1}"/>').format(self._at(bound), HEIGHT)
            for bound in self._bounds
        ]
        middle = HEIGHT / 2
        marks.append(
            Markup('<line class="reach" x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}"/>').format(
                self._at(low), middle, self._at(high), middle
            )
        )
        marks.append(Markup('<circle class="ink" cx="{:.1f}" cy="{}" r="2.6"/>').format(self._at(value), middle))
        picture = Markup(
            '<svg class="interval" aria-hidden="true" viewBox="0 0 {0} {1}" width="{0}" height="{1}">{2}</svg>'
        )
        return picture.format(WIDTH, HEIGHT, Markup("").join(marks))

    def _at(self, value: float) -> float:
        span = (self._high - self._low) or 1.0
        return EDGE + (float(value) - self._low) / span * (WIDTH - 2 * EDGE)
