"""Whether an alarm is quiet: the same one, or a worse one, acted not long ago, or a person has acknowledged it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from monitoring.alarms.alarm import Alarm
from monitoring.alarms.alarm_log import Event, Logged, has_acted
from monitoring.alarms.settings import CoolDownSettings


class Because(Enum):
    """Why an alarm does not act."""

    COOL_DOWN = "cool-down"
    ACKNOWLEDGEMENT = "acknowledgement"


@dataclass(frozen=True)
class Quiet:
    """Why an alarm does not act, and the entry of the log that says so."""

    because: Because
    by: Logged


def quiet(
    alarm: Alarm, log: Sequence[Logged], settings: CoolDownSettings, *, now: datetime | None = None
) -> Quiet | None:
    """Return why an alarm does not act, None where it does.

    An acknowledgement counts before a cool-down. Both end where the alarm is worse: a name that is new among its
    causes, or a level that has risen. An alarm of which not all was done, because a webhook failed, quiets no other:
    perhaps nobody has heard of it.
    """
    acknowledged = acknowledgement(alarm, log, settings)
    if acknowledged is not None:
        return Quiet(Because.ACKNOWLEDGEMENT, acknowledged)
    moment = now or datetime.now(UTC)
    raised = [one for one in reversed(log) if one.event is Event.RAISED and one.alarm.covers(alarm)]
    recent = (one for one in raised if _is_recent(one, alarm, settings, moment) and has_acted(one, log))
    found = next(recent, None)
    return None if found is None else Quiet(Because.COOL_DOWN, found)


def acknowledgement(alarm: Alarm, log: Sequence[Logged], settings: CoolDownSettings) -> Logged | None:
    """Return the latest acknowledgement that an alarm falls under and that has not lapsed."""
    return next(
        (
            one
            for one in reversed(log)
            if one.event is Event.ACKNOWLEDGED
            and one.alarm.covers(alarm)
            and _is_within(one.alarm, alarm, settings.acknowledged)
        ),
        None,
    )


def _is_recent(raised: Logged, alarm: Alarm, settings: CoolDownSettings, now: datetime) -> bool:
    age = now - datetime.fromisoformat(raised.entry.written_at)
    return _is_within(raised.alarm, alarm, settings.periods) or age < timedelta(days=settings.days)


def _is_within(earlier: Alarm, alarm: Alarm, periods: int) -> bool:
    """Return whether two alarms lie at most so many periods apart, whichever was looked at first."""
    apart = months_apart(earlier.key.period, alarm.key.period)
    return apart is not None and apart <= periods


def months_apart(one: str, other: str) -> int | None:
    """Return how many months lie between two periods (YYYY-MM), None where one of them is no month.

    >>> months_apart("2026-11", "2027-01"), months_apart("2026-11", "2026-11"), months_apart("2026-11", "later")
    (2, 0, None)
    """
    if one == other:
        return 0
    found = [re.fullmatch(r"(\d{4})-(\d{2})", period) for period in (one, other)]
    months = [int(match[1]) * 12 + int(match[2]) for match in found if match]
    return abs(months[0] - months[1]) if len(months) == len(found) else None
