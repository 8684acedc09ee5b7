"""The verbs of monitoring: watch and ui."""

import gc

from omegaconf import MISSING, OmegaConf

from monitoring.alarms.settings import AlarmPolicySettings
from monitoring.watch.settings import WatchAction, WatchSettings
from pipelines.command.hydra_application import Verb
from pipelines.command.verb import Outcome, VerbSettings

RARELY = 100_000
"""Objects between two garbage collections. Evidently and Plotly create hundreds of thousands of permanent objects;
collecting them at the default rate takes a sixth of a report's time."""


def watch() -> Verb[WatchSettings]:
    """Write the report of a period and act on it; acknowledge an alarm, list alarms or verify their log."""
    OmegaConf.register_new_resolver("period_of", _period_of, replace=True)
    groups: dict[str, dict[str, type]] = {"alarms": {"alarms": AlarmPolicySettings}}
    figures = {"rows": "rows", "verdict": "verdict"}
    return Verb("watch", WatchSettings, _watch, groups, WatchAction, ids=("by", "why"), figures=figures)


def ui() -> Verb[VerbSettings]:
    """Write the index of all reports and print the commands that open the pages."""
    return Verb("ui", VerbSettings, _ui, {})


def _ui(settings: VerbSettings) -> Outcome:
    from monitoring.ui.ui import ui

    return ui(settings)


def _period_of(action: WatchAction) -> str:
    """Return the default of the setting `period`: actions on the whole alarm log need none."""
    return "" if action in (WatchAction.alarms, WatchAction.verify) else MISSING


def _watch(settings: WatchSettings) -> Outcome:
    gc.set_threshold(RARELY)
    if settings.action is WatchAction.report and (settings.input or settings.reference_input):
        from monitoring.watch.external_tables import watch_external_tables

        return watch_external_tables(settings)
    if settings.action is WatchAction.report:
        from monitoring.watch.watch import watch

        return watch(settings)
    from monitoring.alarms import summary
    from pipelines.storage.workspace import Workspace

    workspace = Workspace.at(settings.workspace)
    if settings.action is WatchAction.alarms:
        return summary.list_outcome(workspace)
    if settings.action is WatchAction.verify:
        return summary.verify_outcome(workspace)
    from monitoring.alarms.acknowledge import AlarmKey

    key = AlarmKey(settings.model, settings.population, settings.period, settings.version)
    periods = settings.alarms.cool_down.acknowledged
    return summary.acknowledge_outcome(workspace, key, why=settings.why, by=settings.by, periods=periods)
