"""The actions of the verb watch that are about alarms: acknowledge one, list them, verify the log."""

from typing import Any

from monitoring.alarms.acknowledge import About, acknowledge
from monitoring.alarms.alarm_log import AlarmLog, Event, Logged
from pipelines.command.verb import ExitCode, Outcome
from pipelines.storage.chain import ChainBroken
from pipelines.storage.workspace import Workspace

KEPT = "note: what a why says is kept for ever; no names, addresses or numbers of people"


def acknowledge_outcome(workspace: Workspace, about: About, *, why: str, by: str | None, periods: int) -> Outcome:
    """Acknowledge the last alarm of a period; `periods` is for how many it will be quiet (see `acknowledge`)."""
    entry = acknowledge(workspace, about, why=why, by=by)
    head = f"ACKNOWLEDGED: alarm {entry.alarm.id} by {entry.words['by']} (entry {entry.number})"
    quiet = f"  quiet for {periods} periods after, unless it worsens"
    return Outcome(_told(entry), summary=[head, f"  {entry.alarm.sentence()}", quiet, f"  {KEPT}"])


def list_outcome(workspace: Workspace, model: str | None = None) -> Outcome:
    """Tell all entries of the alarm log, of one model where it is named, with the last entries last."""
    entries = [one for one in AlarmLog(workspace).read() if model in (None, one.alarm.key.model)]
    raised = [one for one in entries if one.event is Event.RAISED]
    head = f"{len(raised):,} alarm{'s' * (len(raised) != 1)} raised, {len(entries):,} entries"
    lines = [head, *(f"  {_line(one)}" for one in entries)]
    return Outcome({"raised": len(raised), "entries": [_told(one) for one in entries]}, summary=lines)


def verify_outcome(workspace: Workspace) -> Outcome:
    """Tell whether the alarm log is what was written."""
    try:
        entries = AlarmLog(workspace).read()
    except ChainBroken as error:
        told = ["NOT VERIFIED: 1 finding", f"  {error}"]
        return Outcome({"entries": 0, "findings": [str(error)]}, summary=told, exit_code=ExitCode.ANSWER_IS_NO)
    return Outcome({"entries": len(entries), "findings": []}, summary=[f"VERIFIED: {len(entries):,} entries of alarms"])


def _told(one: Logged) -> dict[str, Any]:
    entry = one.entry
    return {"sequence": entry.sequence, "written_at": entry.written_at, "hash": entry.hash, **entry.content}


def _line(one: Logged) -> str:
    when = one.entry.written_at[:16].replace("T", " ")
    return f"entry {one.number}  {when}  {one.event.value}  {one.alarm.id}  {_what(one)}"


def _what(one: Logged) -> str:
    words = one.words
    if one.event is Event.ACKNOWLEDGED:
        return f"by {words['by']}: {words['why']}"
    if one.event is Event.QUIET:
        return f"{one.alarm.sentence()}; {words['because']}, entry {words['entry']}"
    return one.alarm.sentence() if one.event is Event.RAISED else f"{words['what']}: {words['detail']}"
