"""Turns the facts about a version into one HTML file that needs neither network nor scripts."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jinja2 import ChainableUndefined, Environment, PackageLoader

from experiments.document.decision import blocking, verdict_of
from experiments.document.facts import DocumentFacts, FeatureFact
from experiments.document.formatting import FILTERS
from experiments.document.interval import IntervalColumn
from experiments.document.limitations import limitations_of
from experiments.evidence.pictures import PICTURES
from pipelines.charts.standalone import style

MOST_FEATURES_INSIDE = 30
"""Longer lists of features go to an appendix, their groups stay."""

SECTIONS = (
    ("verdict", "Verdict"),
    ("purpose", "Purpose and use"),
    ("data", "Data and lineage"),
    ("label", "Label and maturity"),
    ("features", "Features"),
    ("search", "Search"),
    ("evidence", "Evidence"),
    ("swap_set", "Swap set"),
    ("fairness", "Fairness"),
    ("reasons", "Reasons"),
    ("selection", "Selection bias"),
    ("limitations", "Limitations"),
    ("approvals", "Approvals and ledger"),
    ("provenance", "Provenance and replay"),
)

MEASURES = {
    "auc": ("AUC", "chance that a bad application ranks as riskier than a good one"),
    "gini": ("Gini", "2 AUC − 1"),
    "ks": ("KS", "largest distance between the two distributions"),
    "h_measure": ("H-measure", "separation with one distribution of costs for all models"),
    "brier": ("Brier", "mean squared error of the PD; lower is better"),
    "log_loss": ("Log loss", "surprise per application; lower is better"),
    "expected_to_observed": ("Expected / observed", "defaults predicted over defaults seen; 1 is right"),
    "expected_calibration_error": ("Calibration error", "mean distance of the PD from the bad rate; 0 is right"),
    "calibration_slope": ("Calibration slope", "1 is right; below 1 the PD is too extreme"),
    "calibration_intercept": ("Calibration intercept", "log-odds; 0 is right; above 0 the PD is too low"),
}


def document(facts: DocumentFacts) -> str:
    """Return the page about a version. What is not known is said to be, section by section."""
    features = list(facts.features)
    about = (facts.evidence or {}).get("about") or {}
    return (
        _environment()
        .get_template("document.html")
        .render(
            facts=facts,
            evidence=facts.evidence or {},
            about=about,
            policy=about.get("policy") or (facts.settings or {}).get("policy") or {},
            measured=(facts.evidence or {}).get("measures") or facts.measured or {},
            settings=facts.settings or {},
            own_settings={
                name: value for name, value in (facts.settings or {}).items() if not (name == "policy" and about)
            },
            data=facts.data or {},
            prepared=facts.prepared or {},
            provenance=facts.provenance or {},
            verdict=verdict_of(facts),
            limitations=limitations_of(facts),
            groups=_groups(features),
            features_inside=len(features) <= MOST_FEATURES_INSIDE,
            sections=SECTIONS,
            measures=MEASURES,
            pictures=PICTURES,
            chart_style=style(),
            intervals=IntervalColumn,
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


def _groups(features: list[FeatureFact]) -> list[dict[str, Any]]:
    """Return the groups of reasons: how many features each has, and the most that one of them is missing."""
    named: dict[str, list[FeatureFact]] = {}
    for feature in features:
        named.setdefault(feature.group, []).append(feature)
    return [
        {
            "group": group,
            "features": len(members),
            "missing": max((one.missing for one in members if one.missing is not None), default=None),
            "directed": sum(one.direction in ("safer", "riskier") for one in members),
        }
        for group, members in sorted(named.items())
    ]


def _flattened(record: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting of a nested record under its full name."""
    for key, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from _flattened(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
