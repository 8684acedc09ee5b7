"""The verb demo: tunes and promotes two candidates, then scores and watches two production periods."""

import json
import shlex
from pathlib import Path

from pipelines.applications.settings import Source
from pipelines.candidates.registry import family_named
from pipelines.command.verb import Outcome, override
from pipelines.demo.german_credit import german_credit_data
from pipelines.demo.marketplace import marketplace_data
from pipelines.demo.runner import Runner
from pipelines.demo.settings import DemoData, DemoSettings
from pipelines.errors import ConfigurationError
from pipelines.model_store.addresses import open_command, tracking_uri
from pipelines.storage.workspace import Workspace

SCORECARD, BOOSTED = "scorecard", ("catboost", "hist_gradient_boosting")
"""The candidates of the demo: a scorecard, then the first of these that is installed."""


def demo(settings: DemoSettings) -> Outcome:
    """Tune and promote two candidates, then score and watch two periods.

    Raises:
        ConfigurationError: data without a demo; a negative seed; no trial.
        ThinfileError: one of the commands failed.
    """
    sources = {Source.german_credit: german_credit_data, Source.marketplace: marketplace_data}
    if settings.data.source not in sources:
        choices = " or ".join(f"data={source.value}" for source in sources)
        raise ConfigurationError(
            f"data={settings.data.source.value} has no demo; choose {choices}, or use `thinfile tune` for your own data"
        )
    _check(settings)
    workspace, runner = Workspace.at(settings.workspace), Runner(settings)
    data = sources[settings.data.source](settings, workspace, runner)
    model, trials = f"model={data.model}", settings.trials or data.trials
    boosted = next(name for name in BOOSTED if family_named(name).is_installed)
    for candidate in (SCORECARD, boosted):
        runner.run("tune", *data.data, model, f"candidate={candidate}", f"trials={trials}", f"seed={settings.seed}")
        runner.run("promote", model)
    runner.run("compare", model)
    for period in data.periods:
        file = override("data.path", str(data.files[period]))
        runner.run("score", *data.data[:1], *data.identity, file, model, f"period={period}")
        runner.run("watch", model, f"period={period}")
    return _outcome(data, runner, workspace)


def _check(settings: DemoSettings) -> None:
    if settings.seed < 0:
        raise ConfigurationError(f"seed must not be negative, received {settings.seed}; use for example seed=7")
    if settings.trials is not None and settings.trials < 1:
        raise ConfigurationError(
            f"trials must be at least 1, received {settings.trials}; leave it out for about a minute of search"
        )


def _outcome(data: DemoData, runner: Runner, workspace: Workspace) -> Outcome:
    reports = {period: _report(workspace, data.model, period) for period in data.periods}
    verdicts = {
        period: json.loads(path.with_suffix(".json").read_text())["verdict"] for period, path in reports.items()
    }
    periods = [f"  {period}  {verdicts[period].upper():<6}  {drawn}" for period, drawn in data.periods.items()]
    result = {
        "periods": {
            period: {"verdict": verdicts[period], "drawn": drawn, "report": str(reports[period])}
            for period, drawn in data.periods.items()
        },
        "steps": runner.steps,
    }
    here = shlex.quote(override("workspace", str(workspace.root)))
    looks = [
        f"{open_command(tracking_uri(workspace))}    # runs, models, pictures",
        f"thinfile ui {here}    # the home page: models, alarms, reports, experiments",
        *(f"open {shlex.quote(str(report))}" for report in reports.values()),
    ]
    return Outcome(result, summary=["", f"The demo is complete. {data.opening}", *periods], next_steps=looks)


def _report(workspace: Workspace, model: str, period: str) -> Path:
    return max(workspace.reports.glob(f"{model}/*/*/{period}/report.html"), key=lambda path: path.stat().st_mtime)
