"""Reads the event file of an alarm and remembers where it was sent; chat.py and mail.py beside this file use it.

`thinfile watch` writes the event of each alarm to `alarms/PERIOD-LEVEL-ID.json` in the workspace. It names columns,
faults and counts, but no rows, values or segments. No packages are needed.
"""

import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

SCHEMA = "thinfile.alarm/1"
MOST_CAUSES, LONGEST_CAUSE = 20, 120

Event = Mapping[str, Any]


def secret(name: str) -> str:
    """Return a secret from the variable NAME, or from the file that NAME_FILE names. Raises SystemExit without one."""
    file = os.environ.get(f"{name}_FILE")
    value = os.environ.get(name) or (Path(file).read_text().strip() if file else "")
    return value or sys.exit(f"{name} is not set; set it, or name a file that contains it in {name}_FILE")


def title(event: Event) -> str:
    """Return the alarm in one line without its causes."""
    level, model, version = str(event["level"]).upper(), event["model"], event["model_version"]
    return f"{level}: {model} version {version}, {event['population']} of {event['window']}"


def facts(event: Event) -> dict[str, str]:
    """Return names and values for a table, in order."""
    return {
        "Model": f"{event['model']} version {event['model_version']}",
        "Window": f"{event['population']} of {event['window']}",
        "Decisions": f"{event['rows']:,}",
        "Raised": f"{event['raised_at'][:16].replace('T', ' ')} UTC",
        "Alarm": event["id"],
    }


def causes(event: Event) -> list[str]:
    """Return the causes with their levels, worst first, at most MOST_CAUSES and a count of the others."""
    worst_first = sorted(event["causes"].items(), key=lambda cause: cause[1] != "act")
    lines = [f"{_short(name)} ({level})" for name, level in worst_first]
    more = len(lines) - MOST_CAUSES
    return lines if more <= 0 else [*lines[:MOST_CAUSES], f"and {more} more"]


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_CAUSE else f"{name[: LONGEST_CAUSE - 1]}…"


def next_steps(event: Event) -> list[str]:
    """Return what the reader does next: the page of the report, and the command that acknowledges the alarm."""
    values = {"period": event["period"], "model": event["model"], "version": event["model_version"]}
    words = shlex.join(f"{name}={value}" for name, value in (values | {"population": event["population"]}).items())
    return [event["report"]["html"], f"thinfile watch acknowledge {words} why='...'"]


def send_each(paths: Sequence[str], channel: str, send: Callable[[Event], None]) -> int:
    """Send each event once to a channel and return the exit code, 1 if one was not sent.

    The file EVENT.json.CHANNEL records that an event was sent. A process that is killed between the two sends it again.
    """
    has_failed = False
    for path in paths:
        mark = Path(f"{path}.{channel}")
        try:
            if mark.exists():
                print(f"{path}: sent to {channel} before")
                continue
            event = json.loads(Path(path).read_text())
            if event.get("schema") != SCHEMA:
                raise ValueError(f"schema is {event.get('schema')!r}; name an event file with schema {SCHEMA!r}")
            send(event)
            mark.touch(0o600)
            print(f"{path}: sent to {channel}")
        except (OSError, ValueError) as error:
            has_failed = True
            print(f"{path}: not sent to {channel}: {error}", file=sys.stderr)
    return int(has_failed)
