"""What an alarm may do, each by its name: post it, write it into a folder, open a retraining."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from monitoring.alarms.alarm import Alarm
from monitoring.alarms.alarm_log import Logged
from monitoring.alarms.event import event_of, spelled, write_event
from monitoring.alarms.retraining import open_retraining, start
from monitoring.alarms.settings import AlarmPolicySettings, LevelActions, Retraining
from monitoring.alarms.webhook import post
from monitoring.thresholds.thresholds import Level
from pipelines.errors import ThinfileError
from pipelines.storage.workspace import Workspace


class Action(Enum):
    """What is done about an alarm, in this order: a slow network is last."""

    EVENT_FILE = "event file"
    RETRAINING = "retraining"
    WEBHOOK = "webhook"


@dataclass(frozen=True)
class Surroundings:
    """What actions need to know: the policy, the workspace, and the files of the report."""

    settings: AlarmPolicySettings
    workspace: Workspace
    report_files: Mapping[str, Path]

    @property
    def folder(self) -> Path:
        """Where events are written to."""
        return Path(self.settings.events).expanduser() if self.settings.events else self.workspace.alarms


@dataclass(frozen=True)
class Done:
    """What came of an action: a sentence for the log, and what a person does next."""

    detail: str
    next_steps: tuple[str, ...] = ()


def level_actions(level: Level, settings: AlarmPolicySettings) -> LevelActions:
    """Return what the policy lets a level do."""
    return settings.act if level is Level.ACT else settings.watch


def planned(alarm: Alarm, has_faults: bool, settings: AlarmPolicySettings) -> list[Action]:
    """Return what is done about an alarm. A model is not retrained on faulty data: the remedy is at the source."""
    does = level_actions(alarm.level, settings)
    wanted = {
        Action.EVENT_FILE: does.event_file,
        Action.RETRAINING: does.retraining is not Retraining.none and not has_faults,
        Action.WEBHOOK: does.webhook and settings.webhook.url is not None,
    }
    return [action for action, is_wanted in wanted.items() if is_wanted]


def do(action: Action, raised: Logged, around: Surroundings) -> Done:
    """Do one thing about an alarm; done again it leaves no more behind.

    Raises:
        ThinfileError, OSError: it could not be done.
    """
    if action is Action.EVENT_FILE:
        path = write_event(event_of(raised), around.report_files, around.folder.resolve())
        return Done(f"event written to {path}")
    return _retrain(raised, around) if action is Action.RETRAINING else _post(raised, around)


def _post(raised: Logged, around: Surroundings) -> Done:
    hook = around.settings.webhook
    if hook.url is None:  # it was raised under a policy that had one
        raise ThinfileError("a webhook needs an address, received none; set alarms.webhook.url")
    attempt = post(spelled(event_of(raised)), raised.alarm.id, hook)
    return Done(f"{urlsplit(hook.url).hostname} told, attempt {attempt}")


def _retrain(raised: Logged, around: Surroundings) -> Done:
    folder = around.folder.resolve() / f"retraining-{raised.alarm.id}"
    commands = open_retraining(raised.alarm, around.workspace, around.settings.retrain, folder)
    told = tuple(shlex.join(command) for command in commands)
    if level_actions(raised.alarm.level, around.settings).retraining is not Retraining.start:
        return Done(f"written out: {' && '.join(told)}", told)
    log = folder / "retraining.log"
    number = start(commands, log)
    return Done(f"started as process {number}: {' && '.join(told)}", (f"tail -f {shlex.quote(str(log))}",))
