"""The verb ui: writes the index of all reports, and prints the commands that open the pages of a workspace."""

import shlex
from pathlib import Path

from monitoring.report.stored import StoredReport, stored_reports
from pipelines.command.verb import Outcome, VerbSettings
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.postgresql import shown
from pipelines.storage.workspace import Workspace, sqlite_url

INDEX = "index.html"


def ui(settings: VerbSettings) -> Outcome:
    """Write the index of the workspace's reports and return the commands that open it, MLflow and Evidently."""
    workspace = Workspace.at(settings.workspace)
    reports = stored_reports(workspace.reports)
    index = write_index(workspace)
    count = f"{len(reports):,} report{'s' * (len(reports) != 1)}"
    head = f"{count}, newest {reports[0].period}: {reports[0].verdict.name}" if reports else "no reports yet"
    result = {"index": str(index), "reports": [_record(one) for one in reports]}
    steps = _commands(workspace, index, bool(reports))
    return Outcome(result, summary=[head, f"  index: {index}"], next_steps=steps)


def write_index(workspace: Workspace) -> Path:
    """Write `index.html` next to the reports and return its path; the page needs no network."""
    from monitoring.report.page import index_page

    index = workspace.reports / INDEX
    with whole_file(index) as temporary:
        temporary.write_text(index_page(stored_reports(workspace.reports)), encoding="utf-8")
    return index


def _commands(workspace: Workspace, index: Path, has_reports: bool) -> list[str]:
    runs = shown(workspace.database) if workspace.database else sqlite_url(workspace.mlflow)
    commands = [f"open {shlex.quote(str(index))}    # all reports"]
    if workspace.database or workspace.mlflow.exists():
        commands.append(f"mlflow ui --backend-store-uri {shlex.quote(runs)}    # runs, models, charts")
    if workspace.evidently.exists():
        commands.append(
            f"evidently ui --workspace {shlex.quote(str(workspace.evidently))}    # reports and their history"
        )
    return commands if has_reports else [*commands, "thinfile watch period=YYYY-MM    # writes the first report"]


def _record(report: StoredReport) -> dict[str, object]:
    return vars(report) | {"verdict": report.verdict.value, "page": str(report.page)}
