"""The actions of an alarm: write an event file, open a retraining, post to a webhook."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from monitoring.alarms.alarm import Alarm
from monitoring.alarms.alarm_log import Logged
from monitoring.alarms.event import encoded, event_of, write_event
from monitoring.alarms.retraining import note_on_data, open_retraining, start
from monitoring.alarms.settings import AlarmPolicySettings, LevelActions, Retraining
from monitoring.alarms.webhook import post
from monitoring.verdict.period_report import Verdict
from pipelines.errors import ThinfileError
from pipelines.secrets.redaction import redacted_override
from pipelines.storage.workspace import Workspace


class Action(Enum):
    """What an alarm does, in this order: a slow network comes last."""

    EVENT_FILE = "event file"
    RETRAINING = "retraining"
    WEBHOOK = "webhook"


@dataclass(frozen=True)
class ActionContext:
    """What actions need: the policy, the workspace, and the files of the report."""

    settings: AlarmPolicySettings
    workspace: Workspace
    report_files: Mapping[str, Path]

    @property
    def folder(self) -> Path:
        """The folder of event files."""
        return Path(self.settings.events).expanduser() if self.settings.events else self.workspace.alarms


@dataclass(frozen=True)
class ActionResult:
    """The result of an action: a sentence for the log, and the next steps of a person."""

    detail: str
    next_steps: tuple[str, ...] = ()


def level_actions(level: Verdict, settings: AlarmPolicySettings) -> LevelActions:
    """Return the actions of a level by the policy."""
    return settings.act if level is Verdict.ACT else settings.watch


def planned(alarm: Alarm, has_faults: bool, settings: AlarmPolicySettings) -> list[Action]:
    """Return the actions of an alarm. A model is not retrained on faulty data, which are repaired at the source."""
    policy = level_actions(alarm.level, settings)
    chosen = {
        Action.EVENT_FILE: policy.event_file,
        Action.RETRAINING: policy.retraining is not Retraining.none and not has_faults,
        Action.WEBHOOK: policy.webhook and settings.webhook.url is not None,
    }
    return [action for action, is_chosen in chosen.items() if is_chosen]


def do(action: Action, raised: Logged, context: ActionContext) -> ActionResult:
    """Run an action of an alarm; running it again has no further effect.

    Raises:
        ThinfileError, OSError: the action failed.
    """
    if action is Action.EVENT_FILE:
        path = write_event(event_of(raised), context.report_files, context.folder.resolve())
        return ActionResult(f"event written to {path}")
    return _retrain(raised, context) if action is Action.RETRAINING else _post(raised, context)


def _post(raised: Logged, context: ActionContext) -> ActionResult:
    hook = context.settings.webhook
    if hook.url is None:  # the policy that raised the alarm had a URL
        raise ThinfileError("alarms.webhook.url is not set; set it to the address of the webhook")
    attempt = post(encoded(event_of(raised)), raised.alarm.id, hook)
    return ActionResult(f"webhook delivered to {urlsplit(hook.url).hostname} (attempt {attempt})")


def _retrain(raised: Logged, context: ActionContext) -> ActionResult:
    folder = context.folder.resolve() / f"retraining-{raised.alarm.id}"
    commands = open_retraining(raised.alarm, context.workspace, context.settings.retrain, folder)
    lines = tuple(shlex.join(map(redacted_override, command)) for command in commands)
    note = note_on_data(raised.alarm, context.workspace, context.settings.retrain)
    note = f"; {note}" if note else ""
    if level_actions(raised.alarm.level, context.settings).retraining is not Retraining.start:
        return ActionResult(f"commands written: {' && '.join(lines)}{note}", lines)
    log = folder / "retraining.log"
    number = start(commands, log)
    return ActionResult(
        f"started as process {number}: {' && '.join(lines)}{note}", (f"tail -f {shlex.quote(str(log))}",)
    )
