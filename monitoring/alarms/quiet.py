"""Whether an alarm is quiet, because the same or a worse one acted recently or a person acknowledged it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from monitoring.alarms.alarm import Alarm
from monitoring.alarms.alarm_log import Event, Logged, has_acted
from monitoring.alarms.settings import CoolDownSettings
from monitoring.windows.months import months_between


class QuietReason(Enum):
    """Why an alarm does not act."""

    COOL_DOWN = "cool-down"
    ACKNOWLEDGEMENT = "acknowledgement"


@dataclass(frozen=True)
class Quiet:
    """Why an alarm does not act, and the entry of the log that is the reason."""

    because: QuietReason
    by: Logged


def quiet(
    alarm: Alarm, log: Sequence[Logged], settings: CoolDownSettings, *, now: datetime | None = None
) -> Quiet | None:
    """Return why an alarm does not act, None where it does.

    An acknowledgement counts before a cool-down. Neither covers a worse alarm, with a new cause or a higher level. An
    alarm with a failed action starts no cool-down, because nobody may have received it.
    """
    acknowledged = acknowledgement(alarm, log, settings)
    if acknowledged is not None:
        return Quiet(QuietReason.ACKNOWLEDGEMENT, acknowledged)
    moment = now or datetime.now(UTC)
    raised = [one for one in reversed(log) if one.event is Event.RAISED and one.alarm.covers(alarm)]
    recent = (one for one in raised if _is_recent(one, alarm, settings, moment) and has_acted(one, log))
    entry = next(recent, None)
    return None if entry is None else Quiet(QuietReason.COOL_DOWN, entry)


def acknowledgement(alarm: Alarm, log: Sequence[Logged], settings: CoolDownSettings) -> Logged | None:
    """Return the latest acknowledgement that covers an alarm and has not expired."""
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
    """Whether two alarms are at most so many periods apart, in either order."""
    one, other = earlier.key.period, alarm.key.period
    apart = months_between(one, other)
    return one == other or (apart is not None and abs(apart) <= periods)
