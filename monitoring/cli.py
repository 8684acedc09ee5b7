"""The verbs of monitoring: watch and ui."""

import gc
from collections.abc import Sequence

from omegaconf import MISSING, OmegaConf

from monitoring.alarms.settings import AlarmPolicySettings
from monitoring.watch.settings import WatchAction, WatchSettings
from pipelines.command.hydra_application import Verb, run
from pipelines.command.verb import Outcome, VerbSettings

RARELY = 100_000
"""Objects between two collections of garbage. Evidently and Plotly make hundreds of thousands that stay: to go through
them again and again takes a sixth of a report's time."""


def watch(arguments: Sequence[str]) -> int:
    """Write the report of a period and act on it, or acknowledge an alarm, list alarms, verify their log."""
    gc.set_threshold(RARELY)
    OmegaConf.register_new_resolver("period_of", _period_of, replace=True)
    groups: dict[str, dict[str, type]] = {"alarms": {"alarms": AlarmPolicySettings}}
    return run(Verb("watch", WatchSettings, _watch, groups, WatchAction), arguments)


def ui(arguments: Sequence[str]) -> int:
    """Write the index of all reports and tell the commands that open the pages."""
    return run(Verb("ui", VerbSettings, _ui, {}), arguments)


def _ui(settings: VerbSettings) -> Outcome:
    from monitoring.ui.ui import ui

    return ui(settings)


def _period_of(action: WatchAction) -> str:
    """Return what conf/watch.yaml says of the period: what is about the whole log needs none."""
    return "" if action in (WatchAction.alarms, WatchAction.verify) else MISSING


def _watch(settings: WatchSettings) -> Outcome:
    if settings.action is WatchAction.report and (settings.input or settings.reference_input):
        from monitoring.watch.external_tables import watch_tables

        return watch_tables(settings)
    if settings.action is WatchAction.report:
        from monitoring.watch.watch import watch

        return watch(settings)
    from monitoring.alarms import summary as telling
    from pipelines.storage.workspace import Workspace

    workspace = Workspace.at(settings.workspace)
    if settings.action is WatchAction.alarms:
        return telling.list_outcome(workspace)
    if settings.action is WatchAction.verify:
        return telling.verify_outcome(workspace)
    from monitoring.alarms.acknowledge import About

    about = About(settings.model, settings.population, settings.period, settings.version)
    periods = settings.alarms.cool_down.acknowledged
    return telling.acknowledge_outcome(workspace, about, why=settings.why, by=settings.by, periods=periods)
