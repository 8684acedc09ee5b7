"""The alarms that nobody has acknowledged, from the alarm log."""

from monitoring.alarms.alarm_log import AlarmLog, Event, Logged
from pipelines.storage.workspace import Workspace


def open_alarms(workspace: Workspace) -> list[Logged]:
    """Return the last alarm of each model, version and population that was not acknowledged since, newest first.

    Raises:
        ChainBroken: an entry of the log was changed or removed.
    """
    standing: dict[tuple[object, ...], Logged] = {}
    for one in AlarmLog(workspace).read():
        about = _about(one)
        if one.event is Event.RAISED:
            standing[about] = one
        elif one.event is Event.ACKNOWLEDGED and about in standing and one.alarm.covers(standing[about].alarm):
            del standing[about]
    return sorted(standing.values(), key=lambda one: one.number, reverse=True)


def _about(one: Logged) -> tuple[object, ...]:
    key = one.alarm.key
    return key.model, key.version, key.population
