"""The verb ui: writes the home page of a workspace, and prints the commands that open further pages."""

from pathlib import Path

from monitoring.report.stored import StoredReport
from monitoring.ui.home import Home, home_of
from pipelines.command.verb import Outcome, VerbSettings, carried, shell_word
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.workspace import Workspace

PAGE = "index.html"


def ui(settings: VerbSettings) -> Outcome:
    """Write the home page of the workspace; return its address, and the commands for MLflow, Optuna and Evidently."""
    workspace = Workspace.at(settings.workspace)
    home = home_of(workspace)
    page = write_home(workspace, home)
    result = {
        "index": str(page),
        "models": {one.name: None if one.champion is None else one.champion.number for one in home.models},
        "open_alarms": len(home.alarms),
        "reports": [_record(one) for one in home.reports],
        "studies": len(home.studies),
    }
    steps = [f"{one.command}    # {one.what}" for one in home.commands]
    steps += [] if home.reports else _first_report(settings, workspace)
    return Outcome(result, summary=[*_head(home), f"  home: {page.absolute().as_uri()}"], next_steps=steps)


def write_home(workspace: Workspace, home: Home) -> Path:
    """Write `index.html` into the workspace and return its path; the page needs no network."""
    from monitoring.report.page import rendered

    page = workspace.root / PAGE
    with whole_file(page) as temporary:
        temporary.write_text(rendered("home.html", home=home), encoding="utf-8")
    return page


def _first_report(settings: VerbSettings, workspace: Workspace) -> list[str]:
    """Return the command that writes the first report: of the month that was decided last, none where no one was."""
    keys = ScoreLog(workspace).logged_keys()
    if not keys:
        return []
    last = max(keys, key=lambda key: (key.period, key.version))
    words = f"period={last.period} {shell_word('model', last.model)} population={last.population.value}"
    return [f"thinfile watch {words}{carried(settings)}    # writes the first report"]


def _head(home: Home) -> list[str]:
    """Return a line for each model, the alarms and the reports."""
    lines = [
        f"{one.name}: " + ("no champion yet" if one.champion is None else f"champion is version {one.champion.number}")
        for one in home.models
    ]
    alarms, reports = len(home.alarms), len(home.reports)
    newest = f", newest {home.reports[0].period}: {home.reports[0].verdict.name}" if home.reports else ""
    lines.append(f"{reports:,} report{'s' * (reports != 1)}{newest}" if reports else "no reports yet")
    return [*lines, f"{alarms:,} open alarm{'s' * (alarms != 1)}"] if alarms else lines


def _record(report: StoredReport) -> dict[str, object]:
    return vars(report) | {"verdict": report.verdict.value, "page": str(report.page)}
