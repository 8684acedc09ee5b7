"""The event of an alarm, for webhooks and event files: names, levels and counts, but no rows, values or segments."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitoring.alarms.alarm_log import Logged
from monitoring.verdict.period_report import PeriodReport
from pipelines.storage.atomic_files import whole_file

SCHEMA = "thinfile.alarm/1"


def facts_of(report: PeriodReport) -> dict[str, Any]:
    """Return the facts of a report that an event has in addition to its alarm.

    The sentences of a report are left out: they may quote categories, which people may have typed.
    """
    faults = [{"kind": one.kind, "column": one.column} for one in report.faults]
    return {"rows": report.rows, "faults": faults}


def event_of(raised: Logged) -> dict[str, Any]:
    """Return the event of an alarm from the entry that raised it; it is the same on every delivery."""
    facts = {name: raised.content[name] for name in ("rows", "faults")}
    head = {"schema": SCHEMA, "id": raised.alarm.id, "raised_at": raised.entry.written_at}
    text = f"{raised.alarm.sentence()}. Read the report of {raised.alarm.window}, then acknowledge the alarm."
    return head | raised.alarm.record() | {"text": text} | facts


def encoded(event: Mapping[str, Any]) -> bytes:
    """Return the bytes of an event."""
    return json.dumps(event, sort_keys=True, ensure_ascii=False).encode()


def write_event(event: Mapping[str, Any], report_files: Mapping[str, Path], folder: Path) -> Path:
    """Write an event with the paths of its report into a folder and return the file, the same on every call."""
    path = folder / f"{event['period']}-{event['level']}-{event['id']}.json"
    record = {**event, "report": {name: str(file) for name, file in report_files.items()}}
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(record, sort_keys=True, ensure_ascii=False, indent=1) + "\n")
    return path
