"""The verb ui: the index of all reports, and the commands that open it, the MLflow page and the Evidently page."""

import shlex
from pathlib import Path

from monitoring.report.stored import StoredReport, stored_reports
from pipelines.command.verb import Outcome, VerbSettings
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.postgresql import shown
from pipelines.storage.workspace import Workspace, sqlite_url

INDEX = "index.html"


def ui(settings: VerbSettings) -> Outcome:
    """Write the index of the workspace's reports and return the commands that open what there is to see."""
    workspace = Workspace.at(settings.workspace)
    reports = stored_reports(workspace.reports)
    index = write_index(workspace)
    newest = f"the newest of {reports[0].period}: {reports[0].verdict.name}" if reports else "none yet"
    result = {"index": str(index), "reports": [_told(one) for one in reports]}
    return Outcome(result, summary=[f"{len(reports):,} reports, {newest}", f"  index: {index}"],
                   next_steps=_commands(workspace, index, bool(reports)))  # fmt: skip


def write_index(workspace: Workspace) -> Path:
    """Write `index.html` beside the reports and return its path; the page needs no network."""
    from monitoring.report.page import index_page

    index = workspace.reports / INDEX
    with whole_file(index) as temporary:
        temporary.write_text(index_page(stored_reports(workspace.reports)), encoding="utf-8")
    return index


def _commands(workspace: Workspace, index: Path, has_reports: bool) -> list[str]:
    runs = shown(workspace.database) if workspace.database else sqlite_url(workspace.mlflow)
    commands = [f"open {shlex.quote(str(index))}    # every report"]
    if workspace.database or workspace.mlflow.exists():
        commands.append(f"mlflow ui --backend-store-uri {shlex.quote(runs)}    # runs, models, pictures")
    if workspace.evidently.exists():
        commands.append(
            f"evidently ui --workspace {shlex.quote(str(workspace.evidently))}    # each report, and its history"
        )
    return commands if has_reports else [*commands, "thinfile watch period=YYYY-MM    # writes a report"]


def _told(report: StoredReport) -> dict[str, object]:
    return vars(report) | {"verdict": report.verdict.value, "page": str(report.page)}
