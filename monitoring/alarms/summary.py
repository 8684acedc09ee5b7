"""The alarm actions of the verb watch: acknowledge an alarm, list alarms, verify their log."""

from typing import Any

from monitoring.alarms.acknowledge import AlarmKey, acknowledge
from monitoring.alarms.alarm_log import AlarmLog, Event, Logged
from pipelines.command.verb import ExitCode, Outcome
from pipelines.storage.chain import ChainBroken
from pipelines.storage.workspace import Workspace

PERMANENT = "note: reasons are stored permanently; do not name people, addresses or account numbers"


def acknowledge_outcome(workspace: Workspace, key: AlarmKey, *, why: str, by: str | None, periods: int) -> Outcome:
    """Acknowledge the last alarm of a period, which is then quiet for `periods` periods (see `acknowledge`)."""
    entry = acknowledge(workspace, key, why=why, by=by)
    head = f"ACKNOWLEDGED: alarm {entry.alarm.id} by {entry.content['by']} (entry {entry.number})"
    quiet = f"  quiet for the next {periods} periods unless it worsens"
    return Outcome(_record(entry), summary=[head, f"  {entry.alarm.sentence()}", quiet, f"  {PERMANENT}"])


def list_outcome(workspace: Workspace) -> Outcome:
    """List the entries of the alarm log, oldest first."""
    entries = AlarmLog(workspace).read()
    raised = [one for one in entries if one.event is Event.RAISED]
    head = f"{len(raised):,} alarm{'s' * (len(raised) != 1)} raised, {len(entries):,} entries"
    lines = [head, *(f"  {_line(one)}" for one in entries)]
    return Outcome({"raised": len(raised), "entries": [_record(one) for one in entries]}, summary=lines)


def verify_outcome(workspace: Workspace) -> Outcome:
    """Verify the hash chain of the alarm log."""
    try:
        entries = AlarmLog(workspace).read()
    except ChainBroken as error:
        summary = ["NOT VERIFIED: 1 finding", f"  {error}"]
        return Outcome({"entries": 0, "findings": [str(error)]}, summary=summary, exit_code=ExitCode.ANSWER_IS_NO)
    return Outcome({"entries": len(entries), "findings": []}, summary=[f"VERIFIED: {len(entries):,} alarm log entries"])


def _record(one: Logged) -> dict[str, Any]:
    entry = one.entry
    return {"sequence": entry.sequence, "written_at": entry.written_at, "hash": entry.hash, **entry.content}


def _line(one: Logged) -> str:
    when = one.entry.written_at[:16].replace("T", " ")
    return f"entry {one.number}  {when}  {one.event.value}  {one.alarm.id}  {_detail(one)}"


def _detail(one: Logged) -> str:
    content = one.content
    if one.event is Event.ACKNOWLEDGED:
        return f"by {content['by']}: {content['why']}"
    if one.event is Event.QUIET:
        return f"{one.alarm.sentence()}; {content['because']}, entry {content['entry']}"
    if one.event is Event.INCONCLUSIVE:
        return f"{one.alarm.sentence()}: {content['rows']:,} rows"
    return one.alarm.sentence() if one.event is Event.RAISED else f"{content['what']}: {content['detail']}"
