"""Raises the alarm of a report and does what the policy says: once, however often the report is written."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.alarms.actions import Action, Done, Surroundings, do, level_actions, planned
from monitoring.alarms.alarm import Alarm, alarm_of
from monitoring.alarms.alarm_log import AlarmLog, Event, Logged, outcome_of
from monitoring.alarms.event import facts_of
from monitoring.alarms.quiet import Because, Quiet, acknowledgement, quiet
from monitoring.alarms.settings import AlarmPolicySettings, check_alarms
from monitoring.verdict.period_report import PeriodReport
from pipelines.command.verb import ExitCode, override
from pipelines.errors import ThinfileError
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

NO_ALARM = "none"


@dataclass(frozen=True)
class Acted:
    """What came of a report: how the command ends, sentences for people, what to do next, and facts for scripts."""

    exit_code: ExitCode
    sentences: tuple[str, ...]
    next_steps: tuple[str, ...]
    result: Mapping[str, Any]


def act_on(
    report: PeriodReport,
    settings: AlarmPolicySettings,
    workspace: Workspace,
    report_files: Mapping[str, Path],
    *,
    now: datetime | None = None,
) -> Acted:
    """Raise the alarm of a report that asks for something, unless it is quiet, and act; write all of it into the log.

    It is raised before anything is done and each outcome is written after: a command that was killed between the two
    does again what has no outcome, and so does one after a failure. An action that fails changes nothing else: it is
    written, told, and the exit code stays that of the alarm. The same report again raises nothing and acts no more.
    `report_files` are told in the event file by their names.

    Raises:
        ConfigurationError: see `check_alarms`.
        ChainBroken: the alarm log is not what was written.
    """
    check_alarms(settings)
    alarm = alarm_of(report)
    if alarm is None:
        return Acted(ExitCode.DONE, (), (), {"state": NO_ALARM})
    around, alarms = Surroundings(settings, workspace, report_files), AlarmLog(workspace)
    with alarms.alone():
        entries = alarms.read()
        raised = next((one for one in entries if one.event is Event.RAISED and one.alarm == alarm), None)
        why = _why_quiet(alarm, raised, entries, settings, now)
        if why is not None:
            return _stay_quiet(alarm, why, alarms, entries)
        is_new = raised is None
        if raised is None:
            actions = [one.value for one in planned(alarm, bool(report.faults), settings)]
            raised = alarms.write(Event.RAISED, alarm, entries, actions=actions, **facts_of(report))
        return _act(raised, is_new, around, alarms, entries)


def _why_quiet(
    alarm: Alarm,
    raised: Logged | None,
    entries: Sequence[Logged],
    settings: AlarmPolicySettings,
    now: datetime | None,
) -> Quiet | None:
    """Return why an alarm does not act; its own raising is no reason."""
    if raised is None:
        return quiet(alarm, entries, settings.cool_down, now=now)
    found = acknowledgement(alarm, entries, settings.cool_down)
    return Quiet(Because.ACKNOWLEDGEMENT, found) if found is not None else None


def _stay_quiet(alarm: Alarm, why: Quiet, alarms: AlarmLog, entries: list[Logged]) -> Acted:
    own = [one for one in entries if one.alarm == alarm and one.event is not Event.ACKNOWLEDGED]
    said = {"because": why.because.value, "entry": why.by.number}
    if not (own and own[-1].event is Event.QUIET and said.items() <= own[-1].words.items()):
        alarms.write(Event.QUIET, alarm, entries, **said)
    reason = {
        Because.COOL_DOWN: f"it was raised for {why.by.alarm.window} (entry {why.by.number}) and has not worsened",
        Because.ACKNOWLEDGEMENT: f"{why.by.words.get('by')} acknowledged it (entry {why.by.number})",
    }[why.because]
    sentence = f"alarm {alarm.id} is quiet: {reason}"
    result = _facts(alarm) | {"state": Event.QUIET.value, **said, "actions": {}}
    return Acted(ExitCode.DONE, (sentence,), (), result)


def _act(raised: Logged, is_new: bool, around: Surroundings, alarms: AlarmLog, entries: list[Logged]) -> Acted:
    does = level_actions(raised.alarm.level, around.settings)
    sentences = [_head(raised, is_new)]
    steps: list[str] = []
    outcomes: dict[str, str] = {}
    for action in [Action(name) for name in raised.words["actions"]]:
        before = outcome_of(action.value, raised, entries)
        if before is not None and before.event is Event.DONE:
            outcomes[action.value] = Event.DONE.value
            steps += before.words["next_steps"]
            continue
        again = "" if is_new else _again(before)
        event, done = _try(action, raised, around)
        said = {"what": action.value, "detail": done.detail, "next_steps": done.next_steps, "entry": raised.number}
        alarms.write(event, raised.alarm, entries, **said)
        outcomes[action.value] = event.value
        sentences.append(f"  {action.value}{again}: {done.detail}" + _hint(event))
        steps += done.next_steps
    steps.append(_acknowledge(raised.alarm, around.workspace))
    result = _facts(raised.alarm) | {"state": Event.RAISED.value, "entry": raised.number, "actions": outcomes}
    exit_code = ExitCode.ANSWER_IS_NO if does.exit_code else ExitCode.DONE
    return Acted(exit_code, tuple(sentences), tuple(steps), result | {"is_new": is_new})


def _try(action: Action, raised: Logged, around: Surroundings) -> tuple[Event, Done]:
    """Do one thing; whatever goes wrong with it is an outcome, for the report and the alarm must not be lost."""
    try:
        return Event.DONE, do(action, raised, around)
    except ThinfileError as error:
        return Event.FAILED, Done(str(error))
    except Exception as error:
        log.debug("%s failed", action.value, exc_info=True)
        return Event.FAILED, Done(f"{type(error).__name__}: {error}")


def _again(before: Logged | None) -> str:
    return " (again: it failed before)" if before else " (again: whether it was done before is not known)"


def _hint(event: Event) -> str:
    return "; the same command tries again" if event is Event.FAILED else ""


def _head(raised: Logged, is_new: bool) -> str:
    said = f"raised (entry {raised.number})" if is_new else f"was raised on {raised.entry.written_at[:10]}"
    return f"alarm {raised.alarm.id} {said}"


def _facts(alarm: Alarm) -> dict[str, Any]:
    return {"id": alarm.id, "level": alarm.level.value, "causes": alarm.told()["causes"]}


def _acknowledge(alarm: Alarm, workspace: Workspace) -> str:
    key = alarm.key
    named = {"period": key.period, "model": key.model, "population": key.population.value, "version": str(key.version)}
    told = [override(name, value) for name, value in (named | {"workspace": str(workspace.root)}).items()]
    return f"thinfile watch acknowledge {shlex.join(told)} why='...'"
