"""The drift report as a page and as an Evidently run: the one file that imports Evidently, which takes seconds."""
# mypy: disallow-subclassing-any=False
# Evidently ships no types, and its metrics are made by subclassing.

import html
import json
import logging
import re
import sys
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from pandas.errors import Pandas4Warning

from monitoring.drift import Finding, Verdict
from monitoring.drift_chart import BLUE, GREY, LEGEND, MODEBAR, STYLE, bars, headline, layout, psi_and_limit
from pipelines.atomic import whole_file
from pipelines.verb import stay_private

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
    from evidently.legacy.renderers.html_widgets import WidgetSize, plotly_data, text_widget
    from evidently.presets import DataSummaryPreset
    from evidently.sdk.models import DashboardModel, DashboardPanelPlot, DashboardTabModel, PanelMetric, ProjectModel
    from evidently.tests import lte
    from evidently.ui.storage.local.base import DASHBOARD_FILE_NAME, PROJECT_FILE_NAME, SNAPSHOTS_DIR_NAME

MOST_CATEGORIES = 100
KEY = (
    "Share of rows in each bin: grey in the reference, blue in this window, red where the column moved beyond its "
    "limit. The limit is how far noise alone would reach."
)
TREND = PanelMetric(metric="PopulationStability", legend="{{column}}")


@dataclass(frozen=True)
class ReportFiles:
    """Where a report lies; `evidently_run` is its identity in the Evidently workspace."""

    html: Path
    json: Path
    evidently_run: str


def write_report(
    *,
    title: str,
    verdict: Verdict,
    summary: str,
    findings: Sequence[Finding],
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

    Verdict and findings are shown as they are given. The samples only feed Evidently's own summary at the end of the
    page; columns it cannot summarise are left out of it and named. A report of the same project and title is replaced,
    so writing twice, or again after a crash, leaves one.
    """
    ordered = sorted(findings, key=_loudest_first)
    about = {"timestamp": timestamp, "tags": [verdict.value, *tags], "metadata": dict(metadata or {})}
    items = [_verdict(title, verdict, summary, ordered), *map(PopulationStability, ordered)]
    snapshot = _run(items, reference_sample, current_sample, categorical, about | {"name": title})
    run = _store(snapshot, evidently_workspace, project, title)
    facts = {"title": title, "verdict": verdict.value, "summary": summary} | about
    facts["findings"] = [asdict(finding) | {"alarmed": finding.alarmed} for finding in ordered]
    facts["evidently"] = {"project": project, "run": str(run)}
    _write(folder / "report.html", _page(snapshot, title))
    _write(folder / "report.json", json.dumps(facts, indent=2, allow_nan=False, default=datetime.isoformat))
    return ReportFiles(folder / "report.html", folder / "report.json", str(run))


def _loudest_first(finding: Finding) -> tuple[bool, float]:
    return not finding.is_score, -finding.psi / max(finding.limit, sys.float_info.min)


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


def _verdict(title: str, verdict: Verdict, summary: str, findings: Sequence[Finding]) -> _Section:
    """Return the top of the page: what to do, why, and which columns moved."""
    call = text_widget(title=title, text="")
    call.insights = [
        Insight(title=verdict.name, severity="error" if verdict is Verdict.ACT else "success", text=summary)
    ]
    moved = [f"- **{_plain(finding.column)}**: {psi_and_limit(finding)}" for finding in findings if finding.alarmed]
    count = f"{len(moved) or 'None'} of {len(findings)} columns moved beyond the limit"
    return _Section(
        call,
        text_widget(title=count, text="\n".join(moved)),
        text_widget(title="Stability of the score and its features", text=KEY),
    )


def _plain(text: str) -> str:
    """Escape what Markdown would take for markup: columns have names like `_n_orders_`."""
    return re.sub(r"([\\`*_\[\]<>#~|&!])", r"\\\1", text)


class PopulationStability(metric_types.SingleValueMetric):
    """A finding under one name for every month, `PopulationStability(column=points)`, so that Evidently can plot it."""

    column: str
    _finding: Finding = PrivateAttr()

    def __init__(self, finding: Finding) -> None:
        super().__init__(column=finding.column, tests=[lte(finding.limit)])
        self._finding = finding

    def get_bound_tests(self, *_: object) -> list[metric_types.BoundTest]:
        """Return the one test: the PSI against the finding's own limit."""
        return [_WithinLimit(test=test, metric_fingerprint=self.get_fingerprint()) for test in self.tests]


class _Repeat(metric_types.SingleValueCalculation[PopulationStability]):
    def display_name(self) -> str:
        return f"PSI of {self.metric.column}"

    def calculate(self, *_: object) -> metric_types.SingleValue:
        result = self.result(self.metric._finding.psi)
        finding = self.metric._finding
        title, size = headline(finding), WidgetSize.HALF
        result.widget = [plotly_data(title=title, data=bars(finding), layout=layout(finding), size=size)]
        return result


class _WithinLimit(metric_types.SingleValueBoundTest):
    """The test in our words: Evidently's own would print a limit of 2.4e-06 as 0.000."""

    def run_test(
        self, context: Context, calculation: _Repeat, value: metric_types.SingleValue
    ) -> metric_types.MetricTestResult:
        # A plain test underneath, so that a stored run can be read where this class is not known.
        plain = metric_types.SingleValueBoundTest(test=self.test, metric_fingerprint=self.metric_fingerprint)
        result, finding = plain.run_test(context, calculation, value), calculation.metric._finding
        result.name = headline(finding)
        result.description = f"{'Beyond' if finding.alarmed else 'Within'} the limit"
        return result


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
    about: Mapping[str, object],
) -> Snapshot:
    """Run the report with Evidently's summary of the samples, or with the reason why there is none."""
    try:
        shown, note = _what_can_be_shown(reference, current, categorical)
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


def _page(snapshot: Snapshot, title: str) -> str:
    """Return the page with its data safe inside a script, for a category may be called `</script>`."""
    page = snapshot.get_html_str(as_iframe=False)
    page = re.sub(r"^    var .*", lambda data: data[0].replace("<", r"\u003c"), page, count=2, flags=re.MULTILINE)
    return page.replace("<head>", f"<head>\n<title>{html.escape(title)}</title>\n{STYLE}", 1)


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
        panel = DashboardPanelPlot(
            title="PSI by period", subtitle="", size="full", values=[TREND], plot_params={"plot_type": "line"}
        )
        board = DashboardModel(tabs=[DashboardTabModel(title="Stability", panels=[panel.id])], panels=[panel])
        _write(workspace / str(identity) / DASHBOARD_FILE_NAME, board.json())
        _write(workspace / str(identity) / PROJECT_FILE_NAME, ProjectModel(id=identity, name=name).json())
    return known[0] if known else identity


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
