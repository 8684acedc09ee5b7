"""An alarm as others are told: names, levels and counts; no row, no value of a column, no segment, no path."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitoring.alarms.alarm_log import Logged
from monitoring.verdict.period_report import PeriodReport
from pipelines.storage.atomic_files import whole_file

SCHEMA = "thinfile.alarm/1"


def facts_of(report: PeriodReport) -> dict[str, Any]:
    """Return what an event says of a report beside its alarm.

    What a report says in sentences stays out: it may name levels of columns, which may be what people wrote.
    """
    faults = [{"kind": one.kind, "column": one.column} for one in report.faults]
    return {"rows": report.rows, "faults": faults}


def event_of(raised: Logged) -> dict[str, Any]:
    """Return the event of an alarm from the entry that raised it: the same whenever it is told."""
    facts = {name: raised.words[name] for name in ("rows", "faults")}
    told = {"schema": SCHEMA, "id": raised.alarm.id, "raised_at": raised.entry.written_at}
    return told | raised.alarm.told() | {"text": raised.alarm.sentence()} | facts


def spelled(event: Mapping[str, Any]) -> bytes:
    """Return the bytes of an event."""
    return json.dumps(event, sort_keys=True, ensure_ascii=False).encode()


def write_event(event: Mapping[str, Any], report_files: Mapping[str, Path], folder: Path) -> Path:
    """Write an event, and where its report lies, into a folder; return the file. Written again it is the same file."""
    path = folder / f"{event['period']}-{event['level']}-{event['id']}.json"
    told = {**event, "report": {name: str(file) for name, file in report_files.items()}}
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(told, sort_keys=True, ensure_ascii=False, indent=1) + "\n")
    return path
