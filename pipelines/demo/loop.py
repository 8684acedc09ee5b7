"""The loop that a demo closes: two candidates through the gates, two production periods scored and watched."""

import json
from pathlib import Path

from pipelines.applications.settings import Source
from pipelines.command.verb import Outcome, override
from pipelines.demo.german_credit import german_credit_story
from pipelines.demo.marketplace import marketplace_story
from pipelines.demo.runner import Runner
from pipelines.demo.settings import DemoSettings
from pipelines.demo.story import Story
from pipelines.errors import ConfigurationError
from pipelines.storage.postgresql import shown
from pipelines.storage.workspace import Workspace, sqlite_url

CANDIDATES = ("scorecard", "catboost")


def demo(settings: DemoSettings) -> Outcome:
    """Tune two candidates, let them through the gates, score two periods and watch them.

    Raises:
        ConfigurationError: a demo of a table that nobody knows; a negative seed; no trial.
        ThinfileError: one of the commands failed.
    """
    tellers = {Source.german_credit: german_credit_story, Source.marketplace: marketplace_story}
    if settings.data.source not in tellers:
        known = " or ".join(f"data={source.value}" for source in tellers)
        raise ConfigurationError(
            f"there is no demo of data={settings.data.source.value}; choose {known}, or use `thinfile tune` for your "
            "own data"
        )
    _check(settings)
    workspace, runner = Workspace.at(settings.workspace), Runner(settings)
    story = tellers[settings.data.source](settings, workspace, runner)
    model, trials = f"model={story.model}", settings.trials or story.trials
    for candidate in CANDIDATES:
        runner.run("tune", *story.data, model, f"candidate={candidate}", f"trials={trials}", f"seed={settings.seed}")
        runner.run("promote", model)
    runner.run("compare", model)
    for period in story.periods:
        file = override("data.path", str(story.files[period]))
        runner.run("score", *story.data[:1], *story.identity, file, model, f"period={period}")
        runner.run("watch", model, f"period={period}")
    return _outcome(story, runner, workspace)


def _check(settings: DemoSettings) -> None:
    if settings.seed < 0:
        raise ConfigurationError(f"seed must not be negative, received {settings.seed}; use for example seed=7")
    if settings.trials is not None and settings.trials < 1:
        raise ConfigurationError(
            f"trials must be at least 1, received {settings.trials}; leave it out for about a minute of search"
        )


def _outcome(story: Story, runner: Runner, workspace: Workspace) -> Outcome:
    reports = {period: _report(workspace, story.model, period) for period in story.periods}
    told = {period: json.loads(path.with_suffix(".json").read_text())["verdict"] for period, path in reports.items()}
    periods = [f"  {period}  {told[period].upper():<6}  {drawn}" for period, drawn in story.periods.items()]
    result = {
        "periods": {
            period: {"verdict": told[period], "drawn": drawn, "report": str(reports[period])}
            for period, drawn in story.periods.items()
        },
        "steps": runner.steps,
    }
    runs = shown(workspace.database) if workspace.database else sqlite_url(workspace.mlflow)
    looks = [
        f"mlflow ui --backend-store-uri {runs}    # runs, models, pictures",
        f"thinfile ui workspace={workspace.root}    # every report, and the commands that open the rest",
        *(f"open {report}" for report in reports.values()),
    ]
    return Outcome(result, summary=["", f"The demo is complete. {story.opening}", *periods], next_steps=looks)


def _report(workspace: Workspace, model: str, period: str) -> Path:
    """Return the newest report of a period."""
    return max(workspace.reports.glob(f"{model}/*/*/{period}/report.html"), key=lambda path: path.stat().st_mtime)
