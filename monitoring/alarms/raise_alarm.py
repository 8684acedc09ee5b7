"""Raises the alarm of a report and runs the actions of the policy once, however often the report is written."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.alarms.actions import Action, ActionContext, ActionResult, do, level_actions, planned
from monitoring.alarms.alarm import Alarm, alarm_of
from monitoring.alarms.alarm_log import AlarmLog, Event, Logged, outcome_of
from monitoring.alarms.event import facts_of
from monitoring.alarms.quiet import Quiet, QuietReason, acknowledgement, quiet
from monitoring.alarms.settings import AlarmPolicySettings, check_alarms
from monitoring.verdict.period_report import PeriodReport, Verdict
from pipelines.command.verb import ExitCode, override
from pipelines.errors import ThinfileError
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

NO_ALARM = "none"


@dataclass(frozen=True)
class AlarmResult:
    """The result of a report's alarm: exit code, sentences for people, next steps, and facts for scripts."""

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
) -> AlarmResult:
    """Raise the alarm of a report unless it is quiet, run its actions, and log all of it.

    The alarm is logged before its actions and each outcome after it: the same command repeats actions that have no
    outcome, because it was killed, or that failed. A failed action is logged and reported; it stops no other action
    and leaves the exit code of the alarm. The same report raises its alarm once. `report_files` are named in the event
    file.

    Raises:
        ConfigurationError: see `check_alarms`.
        ChainBroken: the alarm log was changed.
    """
    check_alarms(settings)
    alarm = alarm_of(report)
    if alarm is None:
        return AlarmResult(ExitCode.DONE, (), (), {"state": NO_ALARM})
    context, alarms = ActionContext(settings, workspace, report_files), AlarmLog(workspace)
    with alarms.alone():
        entries = alarms.read()
        if alarm.level is Verdict.INCONCLUSIVE:
            return _record(alarm, report, alarms, entries)
        raised = next((one for one in entries if one.event is Event.RAISED and one.alarm == alarm), None)
        reason = _quiet_reason(alarm, raised, entries, settings, now)
        if reason is not None:
            return _stay_quiet(alarm, reason, alarms, entries)
        is_new = raised is None
        if raised is None:
            actions = [one.value for one in planned(alarm, bool(report.faults), settings)]
            raised = alarms.write(Event.RAISED, alarm, entries, actions=actions, **facts_of(report))
        return _act(raised, is_new, context, alarms, entries)


def _record(alarm: Alarm, report: PeriodReport, alarms: AlarmLog, entries: list[Logged]) -> AlarmResult:
    """Record an inconclusive report once; nothing else is done, and each run of it ends with exit code 3."""
    own = [one for one in entries if one.alarm == alarm]
    entry = own[-1] if own else alarms.write(Event.INCONCLUSIVE, alarm, entries, rows=report.rows)
    sentence = f"recorded as inconclusive (entry {entry.number})"
    result = _facts(alarm) | {"state": Event.INCONCLUSIVE.value, "entry": entry.number, "actions": {}}
    return AlarmResult(ExitCode.ANSWER_IS_NO, (sentence,), (), result)


def _quiet_reason(
    alarm: Alarm,
    raised: Logged | None,
    entries: Sequence[Logged],
    settings: AlarmPolicySettings,
    now: datetime | None,
) -> Quiet | None:
    """Return why an alarm does not act; that it was raised itself is not a reason."""
    if raised is None:
        return quiet(alarm, entries, settings.cool_down, now=now)
    entry = acknowledgement(alarm, entries, settings.cool_down)
    return Quiet(QuietReason.ACKNOWLEDGEMENT, entry) if entry is not None else None


def _stay_quiet(alarm: Alarm, reason: Quiet, alarms: AlarmLog, entries: list[Logged]) -> AlarmResult:
    own = [one for one in entries if one.alarm == alarm and one.event is not Event.ACKNOWLEDGED]
    fields = {"because": reason.because.value, "entry": reason.by.number}
    if not (own and own[-1].event is Event.QUIET and fields.items() <= own[-1].content.items()):
        alarms.write(Event.QUIET, alarm, entries, **fields)
    by = reason.by
    text = {
        QuietReason.COOL_DOWN: f"raised for {by.alarm.window} (entry {by.number}) and not worse since",
        QuietReason.ACKNOWLEDGEMENT: f"acknowledged by {by.content.get('by')} (entry {by.number})",
    }[reason.because]
    sentence = f"alarm {alarm.id} is quiet: {text}"
    result = _facts(alarm) | {"state": Event.QUIET.value, **fields, "actions": {}}
    return AlarmResult(ExitCode.DONE, (sentence,), (), result)


def _act(raised: Logged, is_new: bool, context: ActionContext, alarms: AlarmLog, entries: list[Logged]) -> AlarmResult:
    policy = level_actions(raised.alarm.level, context.settings)
    sentences = [_head(raised, is_new)]
    steps: list[str] = []
    outcomes: dict[str, str] = {}
    for action in [Action(name) for name in raised.content["actions"]]:
        before = outcome_of(action.value, raised, entries)
        if before is not None and before.event is Event.DONE:
            outcomes[action.value] = Event.DONE.value
            steps += before.content["next_steps"]
            continue
        again = "" if is_new else _again(before)
        event, done = _try(action, raised, context)
        fields = {"what": action.value, "detail": done.detail, "next_steps": done.next_steps, "entry": raised.number}
        alarms.write(event, raised.alarm, entries, **fields)
        outcomes[action.value] = event.value
        sentences.append(f"  {action.value}{again}: {done.detail}" + _hint(event))
        steps += done.next_steps
    steps.append(_acknowledge(raised.alarm, context.workspace))
    result = _facts(raised.alarm) | {"state": Event.RAISED.value, "entry": raised.number, "actions": outcomes}
    exit_code = ExitCode.ANSWER_IS_NO if policy.exit_code else ExitCode.DONE
    return AlarmResult(exit_code, tuple(sentences), tuple(steps), result | {"is_new": is_new})


def _try(action: Action, raised: Logged, context: ActionContext) -> tuple[Event, ActionResult]:
    """Run an action; any error is its outcome, so that the report and the alarm are not lost."""
    try:
        return Event.DONE, do(action, raised, context)
    except ThinfileError as error:
        return Event.FAILED, ActionResult(str(error))
    except Exception as error:
        log.debug("%s failed", action.value, exc_info=True)
        return Event.FAILED, ActionResult(f"{type(error).__name__}: {error}")


def _again(before: Logged | None) -> str:
    return " (again: it failed before)" if before else " (again: the outcome of the first attempt is unknown)"


def _hint(event: Event) -> str:
    return "; run the same command to try again" if event is Event.FAILED else ""


def _head(raised: Logged, is_new: bool) -> str:
    raised_at = f"raised (entry {raised.number})" if is_new else f"was raised on {raised.entry.written_at[:10]}"
    return f"alarm {raised.alarm.id} {raised_at}"


def _facts(alarm: Alarm) -> dict[str, Any]:
    return {"id": alarm.id, "level": alarm.level.value, "causes": alarm.record()["causes"]}


def _acknowledge(alarm: Alarm, workspace: Workspace) -> str:
    key = alarm.key
    values = {"period": key.period, "model": key.model, "population": key.population.value, "version": str(key.version)}
    overrides = [override(name, value) for name, value in (values | {"workspace": str(workspace.root)}).items()]
    return f"thinfile watch acknowledge {shlex.join(overrides)} why='...'"
