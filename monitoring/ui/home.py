"""The home page of a workspace: models, alarms, reports, experiments, and where to look further."""

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime

from monitoring.alarms.alarm_log import Logged
from monitoring.report.report_files import has_evidently
from monitoring.report.stored import StoredReport, latest_of_each, stored_reports
from monitoring.ui.models import Model, models_of
from monitoring.ui.open_alarms import open_alarms
from monitoring.ui.studies import Study, newest_studies
from pipelines.command.verb import shell_word
from pipelines.errors import ThinfileError
from pipelines.model_store.addresses import is_own, open_command, tracking_uri
from pipelines.model_store.readiness import is_initialised
from pipelines.storage.workspace import Workspace, sqlite_url


@dataclass(frozen=True)
class Command:
    """A command that opens further pages, and what they show."""

    command: str
    what: str


@dataclass(frozen=True)
class Home:
    """The facts of the page; `alarms_finding` says why the alarm log cannot be read."""

    workspace: str
    made_at: str
    models: list[Model]
    alarms: list[Logged]
    alarms_finding: str
    reports: list[StoredReport]
    latest: list[StoredReport]
    studies: list[Study]
    commands: list[Command]

    def acknowledging(self, one: Logged) -> str:
        """Return the words that say of which alarm `watch acknowledge` is; only the reason is left to write."""
        words = [shell_word("model", one.alarm.key.model), f"period={one.alarm.key.period}"]
        return " ".join([*words, shell_word("workspace", self.workspace)])


def home_of(workspace: Workspace) -> Home:
    """Return what the page shows of a workspace; nothing is created."""
    models, studies = _of_mlflow(workspace)
    reports = stored_reports(workspace.reports)
    alarms, finding = _alarms(workspace)
    return Home(
        workspace=str(workspace.root.absolute()),
        made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        models=models,
        alarms=alarms,
        alarms_finding=finding,
        reports=reports,
        latest=latest_of_each(reports),
        studies=studies,
        commands=commands_of(workspace),
    )


def commands_of(workspace: Workspace) -> list[Command]:
    """Return the commands that open MLflow, the studies and the Evidently workspace, as far as they exist."""
    commands = []
    if not is_own(workspace) or workspace.database or workspace.mlflow.exists():
        commands.append(Command(open_command(tracking_uri(workspace)), "runs, models, charts"))
    if not workspace.database and workspace.studies.exists():
        studies = shlex.quote(sqlite_url(workspace.studies))
        commands.append(Command(f"optuna-dashboard {studies}", "trials of every study"))
    if workspace.evidently.exists() and has_evidently():
        folder = shlex.quote(str(workspace.evidently))
        commands.append(Command(f"evidently ui --workspace {folder}", "reports and their history"))
    return commands


def _of_mlflow(workspace: Workspace) -> tuple[list[Model], list[Study]]:
    if not is_initialised(workspace):
        return [], []
    from pipelines.model_store.store import ModelStore  # MLflow takes a second to import

    store = ModelStore(workspace)
    return models_of(store), newest_studies(store)


def _alarms(workspace: Workspace) -> tuple[list[Logged], str]:
    try:
        return open_alarms(workspace), ""
    except ThinfileError as error:
        return [], str(error)
