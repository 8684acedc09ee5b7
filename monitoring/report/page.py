"""Our part of the page: HTML and SVG of a period's report, without scripts and external resources."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from monitoring.measures.measure import UNIT_OF_THE_COLUMN, measures
from monitoring.measures.move import Move
from monitoring.measures.score_comparison import ScoreComparison
from monitoring.outcomes.performance import PerformanceReport
from monitoring.outcomes.reconciliation import PastError
from monitoring.outcomes.stored_estimates import CALIBRATED, RECALIBRATED, REWEIGHTED
from monitoring.outcomes.vintage import VintagePerformance
from monitoring.report.bars import bars_of
from monitoring.report.decision_mix_charts import decision_mix_charts, last_groups
from monitoring.report.distribution_chart import distribution_chart
from monitoring.report.formatting import FILTERS, points_apart, some
from monitoring.report.gauge import gauge_of
from monitoring.report.heat_map import heat_map
from monitoring.report.ordering import WORDS, by_decisions, headline, is_moved
from monitoring.report.performance_charts import ages_reached, band_chart, curve_chart, performance_charts
from monitoring.verdict.period_report import PeriodReport
from pipelines.charts.series_chart import draw

VINTAGES_SHOWN = 6
COLUMNS_SHOWN = 10
GROUPS_SHOWN = 10
PERFORMANCE_MEASURES = {"gini": "Gini", "ks": "KS", "bad_rate": "Bad rate", "brier": "Brier score"}
"""Measures whose past errors are shown; the error of the AUC is half that of the Gini."""
METHODS = {
    CALIBRATED: "from the PDs",
    RECALIBRATED: "from PDs recalibrated on earlier loans",
    REWEIGHTED: "from PDs recalibrated on earlier loans, weighted to present applicants",
}


def page_of(report: PeriodReport) -> str:
    """Return the whole page of a report, without a summary by Evidently."""
    part = Markup(leading_part(report, has_sample=False))
    return rendered("page.html", title=report.title, part=part)


def leading_part(report: PeriodReport, *, has_sample: bool = True) -> str:
    """Return the page without parts that have no data; with `has_sample` Evidently's summary of a sample follows it."""
    everyone = by_decisions(report.moves, report.attribution)
    return _environment().get_template("report.html").render(
        report=report,
        score=[one for one in sorted(everyone, key=_role) if one.role in SCORE_ROLES],
        columns=everyone,
        measures=measures(),
        moved=[one for one in everyone if is_moved(one)],
        shown=max(sum(map(is_moved, everyone)), COLUMNS_SHOWN),
        heat=heat_map(report.moves),
        performance=report.performance,
        past_errors=_past_errors(report.performance),
        contradicted=_contradicted(report.performance),
        matured=_last_matured(report.performance),
        groups=last_groups(report.decision_mix),
        groups_shown=GROUPS_SHOWN,
        sections=_sections(report, has_sample=has_sample),
        vintages_shown=VINTAGES_SHOWN,
    )  # fmt: skip


def rendered(template: str, **facts: object) -> str:
    """Return a page that a template makes of facts, in our style."""
    return _environment().get_template(template).render(style=Markup(style_sheet()), **facts)


def style_sheet() -> str:
    """Return the style sheet of our part and of Evidently's below it."""
    return _environment().get_template("style.css").render()


SCORE_ROLES = ("score", "points", "band", "decision", "reason")


def _role(move: Move) -> int:
    return SCORE_ROLES.index(move.role) if move.role in SCORE_ROLES else len(SCORE_ROLES)


def _sections(report: PeriodReport, *, has_sample: bool) -> list[tuple[str, str]]:
    performance = report.performance
    parts = [
        ("faults", "Data faults", bool(report.faults)),
        ("score", "Score and decisions", bool(report.moves)),
        ("columns", "Columns", bool(report.moves)),
        ("segments", "Segments", heat_map(report.moves) is not None),
        ("performance", "Performance", performance is not None and bool(performance.vintages)),
        ("vintages", "Vintage curves", performance is not None and curve_chart(performance.curves) is not None),
        ("decisions", "Decisions over time", bool(report.decision_mix)),
        ("limits", "What this report cannot see", bool(report.cannot_see)),
        ("sample", "Sample summary by Evidently", has_sample),
    ]
    return [(anchor, name) for anchor, name, is_shown in parts if is_shown]


def _contradicted(performance: PerformanceReport | None) -> list[str]:
    if performance is None:
        return []
    return [one.period for one in performance.vintages if any(map(performance.is_contradicted, one.contradictions))]


def _past_errors(performance: PerformanceReport | None) -> list[PastError]:
    errors = [one for one in performance.past_errors if one.measure in PERFORMANCE_MEASURES] if performance else []
    return sorted(errors, key=lambda one: [*PERFORMANCE_MEASURES].index(one.measure))


def _exact_measures(score: ScoreComparison) -> str:
    """Return the measures of the score in a line, those in the unit of the column in points.

    >>> _exact_measures(ScoreComparison((400,), (1,), (1,), {"jensen_shannon": 0.01, "wasserstein": 4.25}))
    'Exact measures: Jensen-Shannon 0.010, Wasserstein 4.25 points'
    """
    shown = [
        f"{one.title} {one.text(score.measures[one.name])}{' points' if one.unit == UNIT_OF_THE_COLUMN else ''}"
        for one in measures()
        if one.name in score.measures
    ]
    return f"Exact measures: {', '.join(shown)}"


def _last_matured(performance: PerformanceReport | None) -> VintagePerformance | None:
    tested = [one for one in performance.vintages if one.bands] if performance else []
    return tested[-1] if tested else None


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("monitoring.report"),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(
        bars_of=bars_of,
        distribution_chart=distribution_chart,
        gauge_of=gauge_of,
        draw=draw,
        performance_charts=performance_charts,
        band_chart=band_chart,
        curve_chart=curve_chart,
        ages_reached=ages_reached,
        decision_mix_charts=decision_mix_charts,
        headline=headline,
        is_moved=is_moved,
        words=WORDS,
        points_apart=points_apart,
        some=some,
        performance_measures=PERFORMANCE_MEASURES,
        exact_measures=_exact_measures,
        methods=METHODS,
    )
    return environment
