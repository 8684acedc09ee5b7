"""The only module that imports Evidently: runs, pages and projects, with the parts of its API that may change.

Written for Evidently 0.7.23 (`WRITTEN_FOR`). Evidently documents neither how a metric gets a widget of its own, nor
the widgets, nor the files of a workspace; all of it is used here. The import takes seconds.
"""
# mypy: disallow-subclassing-any=False
# Evidently ships no types, and its metrics are made by subclassing.

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from pandas.errors import Pandas4Warning

from monitoring.report.evidently_chart import BLUE, GREY, LEGEND, MODEBAR
from monitoring.report.period_figures import FAULTS, OF_OUTCOMES, PANELS, VERDICT, PeriodFigure
from monitoring.verdict.period_report import Verdict
from pipelines.command.verb import stay_private
from pipelines.storage.atomic_files import whole_file

stay_private()  # Evidently reads its telemetry switch while it is imported

with warnings.catch_warnings():
    # Evidently 0.7.23 uses numpy.core, and names that Litestar has since renamed.
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

WRITTEN_FOR = "0.7.23"

SCORE_TREND = PanelMetric(metric="PopulationStability", legend="{{column}}", metric_labels={"role": "score"})
FEATURE_TREND = PanelMetric(metric="PopulationStability", legend="{{column}}", metric_labels={"role": "feature"})
TITLES = ("PSI of the score by period", "PSI of features by period")

STATUS = {
    Verdict.STABLE: TestStatus.SUCCESS,
    Verdict.WATCH: TestStatus.WARNING,
    Verdict.ACT: TestStatus.FAIL,
    Verdict.INCOMPLETE: TestStatus.SKIPPED,
    Verdict.INCONCLUSIVE: TestStatus.ERROR,
}

SamplePairs = Mapping[str, Sequence[pd.Series]]
"""By column its values in the reference and in the window, both numbers or both text."""


@dataclass(frozen=True)
class Headline:
    """The first widget of a run; `severity` is success, warning, error or info."""

    title: str
    verdict: Verdict
    severity: str
    sentence: str


@dataclass(frozen=True)
class MarkdownText:
    """A widget of Markdown."""

    title: str
    text: str


@dataclass(frozen=True)
class TestedColumn:
    """The PSI of a column as an Evidently test; `chart` is the bars and the layout of Plotly, None for no chart."""

    column: str
    role: str
    psi: float
    limit: float
    has_moved: bool
    name: str
    description: str
    chart: tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]] | None


class EvidentlyRun:
    """A report that Evidently has run: our widgets and tests, then its own summary of the samples."""

    def __init__(
        self,
        headline: Headline,
        texts: Sequence[MarkdownText],
        columns: Sequence[TestedColumn],
        figures: Sequence[PeriodFigure],
        note: MarkdownText,
        samples: SamplePairs,
        about: Mapping[str, object],
    ) -> None:
        tested = [PopulationStability(one) for one in columns]
        shown = [FigureOfPeriod(one, headline) for one in figures]
        self._shown_above = 1 + len(shown) + len(tested)
        items = [_headline(headline, texts), *shown, *tested, _Section(text_widget(title=note.title, text=note.text))]
        self._snapshot = _run(items, samples, about)

    def page(self) -> str:
        """Return Evidently's page of the summary and the tests; our headline and charts are left out of it."""
        below = [widget for item in self._snapshot._snapshot_item[self._shown_above :] for widget in item.widgets]
        page: str = metric_types.render_widgets([group_widget(title="", widgets=below), *self._snapshot._tests_widgets])
        return page

    def store(self, workspace: Path, project: str, title: str) -> UUID:
        """Write the run into an Evidently workspace and return its id; a run of the same project and title is replaced.

        `Workspace.add_run` neither writes atomically nor keeps the id.
        """
        home = _project(workspace, project)
        run = uuid5(home, title)
        path = workspace / str(home) / SNAPSHOTS_DIR_NAME / f"{run}.json"
        _write(path, self._snapshot.dumps())
        with path.open("a") as stored:  # an open `evidently ui` notices a file that changes, not one moved into place
            stored.write("\n")
        return run


class _Section(MetricContainer):
    """Widgets of ours between those of Evidently; it computes and tests nothing."""

    _widgets: tuple[BaseWidgetInfo, ...] = PrivateAttr()

    def __init__(self, *widgets: BaseWidgetInfo) -> None:
        super().__init__()
        self._widgets = widgets

    def generate_metrics(self, *_: object) -> list[metric_types.Metric]:
        return []

    def render(self, *_: object) -> list[BaseWidgetInfo]:
        return list(self._widgets)


def _headline(headline: Headline, texts: Sequence[MarkdownText]) -> _Section:
    first = text_widget(title=headline.title, text="")
    first.insights = [Insight(title=headline.verdict.name, severity=headline.severity, text=headline.sentence)]
    return _Section(first, *(text_widget(title=one.title, text=one.text) for one in texts))


class FigureOfPeriod(metric_types.SingleValueMetric):
    """A figure of a report under the name of its panel and series, for the dashboard; the verdict is a test as well."""

    panel: str
    series: str
    _value: float = PrivateAttr()
    _headline: Headline = PrivateAttr()

    def __init__(self, figure: PeriodFigure, headline: Headline) -> None:
        super().__init__(panel=figure.panel, series=figure.series, tests=[lte(0)] if figure.panel == VERDICT else [])
        self._value, self._headline = figure.value, headline

    def get_bound_tests(self, *_: object) -> list[metric_types.BoundTest]:
        """Return the test of the verdict."""
        return [_VerdictTest(test=test, metric_fingerprint=self.get_fingerprint()) for test in self.tests]


class _FigureCalculation(metric_types.SingleValueCalculation[FigureOfPeriod]):
    def display_name(self) -> str:
        return f"{self.metric.panel}, {self.metric.series}"

    def calculate(self, *_: object) -> metric_types.SingleValue:
        result = self.result(self.metric._value)
        result.widget = []
        return result


class _VerdictTest(metric_types.SingleValueBoundTest):
    def run_test(
        self, context: Context, calculation: _FigureCalculation, value: metric_types.SingleValue
    ) -> metric_types.MetricTestResult:
        plain = metric_types.SingleValueBoundTest(test=self.test, metric_fingerprint=self.metric_fingerprint)
        result, headline = plain.run_test(context, calculation, value), calculation.metric._headline
        result.name, result.description = f"Verdict: {headline.verdict.value}", headline.sentence
        result.status = STATUS[headline.verdict]
        return result


class PopulationStability(metric_types.SingleValueMetric):
    """The PSI of a column under one name for all periods, `PopulationStability(column=points)`, for the dashboard."""

    column: str
    role: str
    _tested: TestedColumn = PrivateAttr()

    def __init__(self, tested: TestedColumn) -> None:
        super().__init__(column=tested.column, role=tested.role, tests=[lte(tested.limit)])
        self._tested = tested

    def get_bound_tests(self, *_: object) -> list[metric_types.BoundTest]:
        """Return the one test of the column."""
        return [_BoundTest(test=test, metric_fingerprint=self.get_fingerprint()) for test in self.tests]


class _Calculation(metric_types.SingleValueCalculation[PopulationStability]):
    def display_name(self) -> str:
        return f"PSI of {self.metric.column}"

    def calculate(self, *_: object) -> metric_types.SingleValue:
        tested = self.metric._tested
        result = self.result(tested.psi)
        result.widget = []
        if tested.chart is not None:
            data, layout = tested.chart
            result.widget = [plotly_data(title=tested.name, data=data, layout=layout, size=WidgetSize.HALF)]
        return result


class _BoundTest(metric_types.SingleValueBoundTest):
    """The test with our name and status: a PSI beyond the limit may be due to the season."""

    def run_test(
        self, context: Context, calculation: _Calculation, value: metric_types.SingleValue
    ) -> metric_types.MetricTestResult:
        # Stored as a plain test, so that the run can be read without this class.
        plain = metric_types.SingleValueBoundTest(test=self.test, metric_fingerprint=self.metric_fingerprint)
        result, tested = plain.run_test(context, calculation, value), calculation.metric._tested
        result.name, result.description = tested.name, tested.description
        result.status = TestStatus.FAIL if tested.has_moved else TestStatus.SUCCESS
        return result


class _Summary(DataSummaryPreset):
    """Evidently's summary in our colours; its red bars look like alarms."""

    def render(self, context: Context, *_: object) -> list[BaseWidgetInfo]:
        widgets: list[BaseWidgetInfo] = super().render(context)
        for graph in [widget.params["graph"] for widget in widgets if "graph" in widget.params]:
            graph["layout"].update(legend=LEGEND, modebar=MODEBAR, margin={"l": 50, "r": 10, "t": 70, "b": 30})
            for series in graph["data"]:
                series["marker"]["color"] = GREY if series["name"] == "reference" else BLUE
        return widgets


def _run(items: list[metric_types.Metric], samples: SamplePairs, about: Mapping[str, object]) -> Snapshot:
    if not samples:
        return Report(items).run(current_data=pd.DataFrame({"": [0]}), **about)
    roles = DataDefinition(
        numerical_columns=[name for name, (column, _) in samples.items() if is_numeric_dtype(column)],
        categorical_columns=[name for name, (column, _) in samples.items() if not is_numeric_dtype(column)],
    )
    frames = [pd.DataFrame({name: pair[side] for name, pair in samples.items()}) for side in (0, 1)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Evidently 0.7.23 passes the axis of DataFrame.all by position, and squares whatever amounts it gets.
        warnings.filterwarnings("ignore", "Starting with pandas version 4.0", Pandas4Warning)
        reference, current = (Dataset.from_pandas(frame, data_definition=roles) for frame in frames)
        report = Report([*items, _Summary(columns=[*samples])])
        return report.run(current_data=current, reference_data=reference, **about)


def _project(workspace: Path, name: str) -> UUID:
    """Return the id of the project of that name, which is created where there is none."""
    # Evidently's Workspace would read every run of every project first.
    stored = sorted(workspace.glob(f"*/{PROJECT_FILE_NAME}"))
    projects = [ProjectModel.parse_raw(path.read_text(encoding="utf-8")) for path in stored]
    identity = uuid5(NAMESPACE_URL, f"thinfile:{name}")
    existing: list[UUID] = [project.id for project in projects if project.id == identity or project.name == name]
    if existing:
        board = workspace / str(existing[0]) / DASHBOARD_FILE_NAME
        if board.exists() and _is_of_an_earlier_version(DashboardModel.parse_raw(board.read_text(encoding="utf-8"))):
            _write(board, _dashboard().json())
        return existing[0]
    _write(workspace / str(identity) / DASHBOARD_FILE_NAME, _dashboard().json())
    _write(workspace / str(identity) / PROJECT_FILE_NAME, ProjectModel(id=identity, name=name).json())
    return identity


def _dashboard() -> DashboardModel:
    """Return the dashboard of a project: one tab, so that `evidently ui` shows all panels at once."""
    figures = [_panel_of(title, subtitle) for title, subtitle in PANELS.items()]
    trends = [_panel(title, "", trend) for title, trend in zip(TITLES, (SCORE_TREND, FEATURE_TREND), strict=True)]
    before, of_outcomes = figures[: -len(OF_OUTCOMES)], figures[-len(OF_OUTCOMES) :]
    panels = [*before, *trends, *of_outcomes]
    return DashboardModel(tabs=[DashboardTabModel(title="By period", panels=[one.id for one in panels])], panels=panels)


def _is_of_an_earlier_version(board: DashboardModel) -> bool:
    """Return whether a dashboard is the one that earlier versions wrote, and nobody has changed."""
    return [tab.title for tab in board.tabs] == ["Stability"] and tuple(one.title for one in board.panels) == TITLES


def _panel_of(title: str, subtitle: str) -> DashboardPanelPlot:
    trend = PanelMetric(metric="FigureOfPeriod", legend="{{series}}", metric_labels={"panel": title})
    return _panel(title, subtitle, trend, "bar" if title in (VERDICT, FAULTS) else "line", "half")


def _panel(title: str, subtitle: str, trend: PanelMetric, kind: str = "line", size: str = "full") -> DashboardPanelPlot:
    return DashboardPanelPlot(
        title=title, subtitle=subtitle, size=size, values=[trend], plot_params={"plot_type": kind}
    )


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
