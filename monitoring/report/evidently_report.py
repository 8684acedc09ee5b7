"""The drift report as a page and as an Evidently run: the one file that imports Evidently, which takes seconds."""
# mypy: disallow-subclassing-any=False
# Evidently ships no types, and its metrics are made by subclassing.

import html
import json
import logging
import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from pandas.errors import Pandas4Warning

from monitoring.measures.move import Move
from monitoring.report.evidently_chart import BLUE, GREY, LEGEND, MODEBAR, bars, layout
from monitoring.report.facts import facts_of
from monitoring.report.ordering import headline, is_moved, score_first
from monitoring.report.page import leading_part, style_sheet
from monitoring.thresholds.thresholds import Level
from monitoring.verdict.period_report import PeriodReport, Verdict
from pipelines.command.verb import stay_private
from pipelines.storage.atomic_files import whole_file

stay_private()  # Evidently reads its telemetry switch while it is imported

with warnings.catch_warnings():
    # Evidently 0.7.23 still asks for numpy.core, and for names that Litestar has since renamed.
    warnings.filterwarnings("ignore", r"numpy\.core is deprecated", DeprecationWarning)
    warnings.filterwarnings("ignore", r".*Deprecated in litestar", DeprecationWarning)
    from evidently import DataDefinition, Dataset, Report
    from evidently._pydantic_compat import PrivateAttr
    from evidently.core import metric_types
    from evidently.core.container import MetricContainer
    from evidently.core.report import Context, Snapshot
    from evidently.legacy.model.widget import BaseWidgetInfo, Insight
    from evidently.legacy.renderers.html_widgets import WidgetSize, group_widget, plotly_data, text_widget
    from evidently.legacy.tests.base_test import TestStatus
    from evidently.presets import DataSummaryPreset
    from evidently.sdk.models import DashboardModel, DashboardPanelPlot, DashboardTabModel, PanelMetric, ProjectModel
    from evidently.tests import lte
    from evidently.ui.storage.local.base import DASHBOARD_FILE_NAME, PROJECT_FILE_NAME, SNAPSHOTS_DIR_NAME

MOST_CATEGORIES = 100
MOST_COLUMNS = 10
SEVERITY = {
    Verdict.STABLE: "success",
    Verdict.WATCH: "warning",
    Verdict.ACT: "error",
    Verdict.INCOMPLETE: "info",
}
SCORE_TREND = PanelMetric(metric="PopulationStability", legend="{{column}}", metric_labels={"role": "score"})
FEATURE_TREND = PanelMetric(metric="PopulationStability", legend="{{column}}", metric_labels={"role": "feature"})


@dataclass(frozen=True)
class ReportFiles:
    """Where a report lies; `evidently_run` is its identity in the Evidently workspace."""

    html: Path
    json: Path
    evidently_run: str


def write_report(
    report: PeriodReport,
    *,
    reference_sample: pd.DataFrame,
    current_sample: pd.DataFrame,
    categorical: Collection[str],
    folder: Path,
    evidently_workspace: Path,
    project: str,
    timestamp: datetime,
    tags: Sequence[str] = (),
    metadata: Mapping[str, str] | None = None,
) -> ReportFiles:
    """Write `report.html` and `report.json` into `folder`, and the same report as a run of an Evidently project.

    All is shown as the report says it. The samples only feed Evidently's own summary at the end of the page; columns it
    cannot summarise are left out of it and named. A report of the same project and title is replaced, so writing twice,
    or again after a crash, leaves one.
    """
    about = {"timestamp": timestamp, "tags": [report.verdict.value, *tags], "metadata": dict(metadata or {})}
    tested = [PopulationStability(move) for move in score_first(report.moves)]
    rank = {one.column: place for place, one in enumerate(tested)}
    named = about | {"name": report.title}
    snapshot = _run([_verdict(report), *tested], reference_sample, current_sample, categorical, rank, named)
    run = _store(snapshot, evidently_workspace, project, report.title)
    facts = facts_of(report) | about | {"evidently": {"project": project, "run": str(run)}}
    _write(folder / "report.html", _page(snapshot, report, shown_above=1 + len(tested)))
    _write(folder / "report.json", json.dumps(facts, indent=1, allow_nan=False, default=datetime.isoformat))
    return ReportFiles(folder / "report.html", folder / "report.json", str(run))


class _Section(MetricContainer):
    """Widgets of ours between Evidently's; nothing is computed and nothing is tested."""

    _widgets: tuple[BaseWidgetInfo, ...] = PrivateAttr()

    def __init__(self, *widgets: BaseWidgetInfo) -> None:
        super().__init__()
        self._widgets = widgets

    def generate_metrics(self, *_: object) -> list[metric_types.Metric]:
        return []

    def render(self, *_: object) -> list[BaseWidgetInfo]:
        return list(self._widgets)


def _verdict(report: PeriodReport) -> _Section:
    """Return what a run shows first in `evidently ui`: what to do, why, and what moved."""
    call = text_widget(title=report.title, text="")
    call.insights = [Insight(title=report.verdict.name, severity=SEVERITY[report.verdict], text=report.sentence)]
    points = [f"- **{_plain(one.heading)}**: {_plain(one.text)}" for one in report.points]
    faults = [
        f"- **{_plain(one.kind)}{f', {_plain(one.column)}' if one.column else ''}**: "
        f"{_plain(f'{one.seen} {one.cause} {one.remedy}')}"
        for one in report.faults
    ]
    told = {"": [*points, *(f"- {_plain(note)}" for note in report.notes)], "Data faults": faults}
    return _Section(
        call,
        *(text_widget(title=title, text="\n".join(lines)) for title, lines in told.items() if lines),
    )


def _plain(text: str) -> str:
    """Escape what Markdown would take for markup: columns have names like `_n_orders_`."""
    return re.sub(r"([\\`*_\[\]<>#~|&!])", r"\\\1", text)


class PopulationStability(metric_types.SingleValueMetric):
    """A move under one name for every period, `PopulationStability(column=points)`, so that Evidently can plot it."""

    column: str
    role: str
    _move: Move = PrivateAttr()

    def __init__(self, move: Move) -> None:
        role = "feature" if move.role == "feature" else "score"
        super().__init__(column=move.column, role=role, tests=[lte(move.judgement.limit)])
        self._move = move

    def get_bound_tests(self, *_: object) -> list[metric_types.BoundTest]:
        """Return the one test: whether the move asks for something."""
        return [_Unmoved(test=test, metric_fingerprint=self.get_fingerprint()) for test in self.tests]


class _Repeat(metric_types.SingleValueCalculation[PopulationStability]):
    def display_name(self) -> str:
        return f"PSI of {self.metric.column}"

    def calculate(self, *_: object) -> metric_types.SingleValue:
        move = self.metric._move
        result = self.result(move.judgement.psi)
        shown = is_moved(move) or self.metric.role == "score"
        chart = plotly_data(title=headline(move), data=bars(move), layout=layout(move), size=WidgetSize.HALF)
        result.widget = [chart] if shown else []
        return result


class _Unmoved(metric_types.SingleValueBoundTest):
    """The test in our words, and with our answer: a PSI beyond the limit may still be the season's."""

    def run_test(
        self, context: Context, calculation: _Repeat, value: metric_types.SingleValue
    ) -> metric_types.MetricTestResult:
        # A plain test underneath, so that a stored run can be read where this class is not known.
        plain = metric_types.SingleValueBoundTest(test=self.test, metric_fingerprint=self.metric_fingerprint)
        result, move = plain.run_test(context, calculation, value), calculation.metric._move
        result.name = headline(move)
        result.status = TestStatus.FAIL if is_moved(move) else TestStatus.SUCCESS
        result.description = TOLD[move.judgement.level]
        return result


TOLD = {
    Level.ACT: "Moved: act",
    Level.WATCH: "Moved: watch",
    Level.QUIET: "Not moved",
    Level.TOO_SMALL: "Too small to compare",
}


class _Summary(DataSummaryPreset):
    """Evidently's summary in our colours: its red bars would look like alarms."""

    def render(self, context: Context, *_: object) -> list[BaseWidgetInfo]:
        widgets: list[BaseWidgetInfo] = super().render(context)
        for graph in [widget.params["graph"] for widget in widgets if "graph" in widget.params]:
            graph["layout"].update(legend=LEGEND, modebar=MODEBAR, margin={"l": 50, "r": 10, "t": 70, "b": 30})
            for series in graph["data"]:
                series["marker"]["color"] = GREY if series["name"] == "reference" else BLUE
        return widgets


def _run(
    items: list[metric_types.Metric],
    reference: pd.DataFrame,
    current: pd.DataFrame,
    categorical: Collection[str],
    first: Mapping[str, int],
    about: Mapping[str, object],
) -> Snapshot:
    """Run the report with Evidently's summary of the samples, or with the reason why there is none.

    `first` says which columns are summarised first: a summary takes long to draw, so it has an end.
    """
    try:
        pairs, note = _what_can_be_shown(reference, current, categorical)
        shown = dict(sorted(pairs.items(), key=lambda pair: first.get(pair[0], len(first)))[:MOST_COLUMNS])
        if len(shown) < len(pairs):
            note += f" Of the {len(pairs):,} columns these are the {len(shown)} of largest effect."
        return _calculate(items, note, shown, about)
    except Exception as cause:  # a sample that Evidently cannot read must not silence the alarm
        logging.getLogger(__name__).warning("Evidently could not summarise the samples", exc_info=True)
        return _calculate(items, _plain(f"Left out, because of {cause!r}."), {}, about)


def _what_can_be_shown(
    reference: pd.DataFrame, current: pd.DataFrame, categorical: Collection[str]
) -> tuple[dict[str, list[pd.Series]], str]:
    """Return both samples of each column that Evidently can summarise, and a note that names the others."""
    shared = [name for name in reference if name in current]
    pairs = {str(name): _as_read(reference[name], current[name], name in categorical) for name in shared}
    shown = {name: pair for name, pair in pairs.items() if all(map(_can_be_drawn, pair))}
    hidden = [_plain(name) for name in dict.fromkeys(map(str, [*reference, *current])) if name not in shown]
    note = f"To explore: {len(reference):,} rows of the reference and {len(current):,} of this window."
    if hidden:
        note += f" Without {', '.join(hidden)}: empty, in one sample only, or of over {MOST_CATEGORIES} categories."
    return shown, note


def _as_read(reference: pd.Series, current: pd.Series, is_category: bool) -> list[pd.Series]:
    """Return both columns as floats without infinities, or both as text."""
    pair = [reference, current]
    if is_category or not all(is_numeric_dtype(column) and not is_bool_dtype(column) for column in pair):
        return [column.astype(object).map(str, na_action="ignore") for column in pair]
    return [column.astype(float).replace([np.inf, -np.inf], np.nan) for column in pair]


def _can_be_drawn(column: pd.Series) -> bool:
    """Whether a column has values (evidently#1480: an empty one ends the report), and no more bars than can be seen."""
    return bool(column.notna().any()) and (is_numeric_dtype(column) or column.nunique() <= MOST_CATEGORIES)


def _calculate(
    items: list[metric_types.Metric], note: str, shown: Mapping[str, list[pd.Series]], about: Mapping[str, object]
) -> Snapshot:
    items = [*items, _Section(text_widget(title="Evidently's own view of a sample, not the alarm", text=note))]
    if not shown:
        return Report(items).run(current_data=pd.DataFrame({"": [0]}), **about)
    roles = DataDefinition(
        numerical_columns=[name for name, (column, _) in shown.items() if is_numeric_dtype(column)],
        categorical_columns=[name for name, (column, _) in shown.items() if not is_numeric_dtype(column)],
    )
    frames = [pd.DataFrame({name: pair[side] for name, pair in shown.items()}) for side in (0, 1)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Evidently 0.7.23 passes the axis of DataFrame.all by position, and squares whatever amounts it is given.
        warnings.filterwarnings("ignore", "Starting with pandas version 4.0", Pandas4Warning)
        reference, current = (Dataset.from_pandas(frame, data_definition=roles) for frame in frames)
        report = Report([*items, _Summary(columns=[*shown])])
        return report.run(current_data=current, reference_data=reference, **about)


def _page(snapshot: Snapshot, report: PeriodReport, *, shown_above: int) -> str:
    """Return our part of the page, then Evidently's: its summary of the sample and the tests.

    What our part shows is left out of Evidently's. Its data are made safe inside a script, for a category may be called
    `</script>`.
    """
    below = [widget for item in snapshot._snapshot_item[shown_above:] for widget in item.widgets]
    page = metric_types.render_widgets([group_widget(title="", widgets=below), *snapshot._tests_widgets])
    page = re.sub(r"^    var .*", lambda data: data[0].replace("<", r"\u003c"), page, count=2, flags=re.MULTILINE)
    head = f"<head>\n<title>{html.escape(report.title)}</title>\n<style>\n{style_sheet()}</style>"
    page = page.replace("<head>", head, 1).strip()
    return page.replace("<body>", f"<body>\n{leading_part(report)}", 1)


def _store(snapshot: Snapshot, workspace: Path, project: str, title: str) -> UUID:
    """Write the run where `Workspace.add_run` would, but whole, and under an identity that stays the same."""
    home = _project(workspace, project)
    run = uuid5(home, title)
    path = workspace / str(home) / SNAPSHOTS_DIR_NAME / f"{run}.json"
    _write(path, snapshot.dumps())
    with path.open("a") as stored:  # an open `evidently ui` hears of a file that changes, not of one moved into place
        stored.write("\n")
    return run


def _project(workspace: Path, name: str) -> UUID:
    """Return the identity of the project of that name, which is created when there is none."""
    # Evidently's Workspace would read every run of every project before it could tell.
    stored = sorted(workspace.glob(f"*/{PROJECT_FILE_NAME}"))
    projects = [ProjectModel.parse_raw(path.read_text(encoding="utf-8")) for path in stored]
    identity = uuid5(NAMESPACE_URL, f"thinfile:{name}")
    known: list[UUID] = [project.id for project in projects if project.id == identity or project.name == name]
    if not known:
        panels = [_panel("PSI of the score by period", SCORE_TREND), _panel("PSI of features by period", FEATURE_TREND)]
        tab = DashboardTabModel(title="Stability", panels=[one.id for one in panels])
        board = DashboardModel(tabs=[tab], panels=panels)
        _write(workspace / str(identity) / DASHBOARD_FILE_NAME, board.json())
        _write(workspace / str(identity) / PROJECT_FILE_NAME, ProjectModel(id=identity, name=name).json())
    return known[0] if known else identity


def _panel(title: str, trend: PanelMetric) -> DashboardPanelPlot:
    return DashboardPanelPlot(title=title, subtitle="", size="full", values=[trend], plot_params={"plot_type": "line"})


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
