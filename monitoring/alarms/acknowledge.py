"""Acknowledges an alarm: it is quiet until it worsens or the acknowledgement expires."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.alarms.alarm import Alarm
from monitoring.alarms.alarm_log import AlarmLog, Event, Logged
from pipelines.credit.population import Population
from pipelines.errors import RequestError
from pipelines.storage.process import account
from pipelines.storage.workspace import Workspace

LONGEST_WHY = 2000


@dataclass(frozen=True)
class AlarmKey:
    """The alarm of a model, a population, a period and, where given, a version."""

    model: str
    population: Population
    period: str
    version: int | None = None

    def matches(self, alarm: Alarm) -> bool:
        """Return whether an alarm has this key."""
        key = alarm.key
        same = (key.model, key.population, key.period) == (self.model, self.population, self.period)
        return same and self.version in (None, key.version)


def acknowledge(workspace: Workspace, key: AlarmKey, *, why: str, by: str | None = None) -> Logged:
    """Acknowledge the last alarm of a period and return its entry; the same acknowledgement is logged once.

    `by` is the person, by default the account that runs this process, which is logged in any case. `why` is stored
    permanently.

    Raises:
        RequestError: no alarm was raised for the period; the reason is missing or too long; `by` is blank.
        ChainBroken: the alarm log was changed.
    """
    _check(why, by)
    fields = {"by": by or account(), "account": account(), "why": why}
    alarms = AlarmLog(workspace)
    _last_alarm(alarms.read(), key)  # an invalid request creates nothing
    with alarms.alone():
        entries = alarms.read()
        alarm = _last_alarm(entries, key).alarm
        own = [one for one in entries if one.event is Event.ACKNOWLEDGED and one.alarm == alarm]
        if own and fields.items() <= own[-1].content.items():
            return own[-1]
        return alarms.write(Event.ACKNOWLEDGED, alarm, entries, **fields)


def _last_alarm(entries: Sequence[Logged], key: AlarmKey) -> Logged:
    """Return the entry of the last alarm with a key, raised or kept quiet."""
    alarms = [one for one in entries if one.event in (Event.RAISED, Event.QUIET)]
    last = next((one for one in reversed(alarms) if key.matches(one.alarm)), None)
    if last is not None:
        return last
    periods = sorted({one.alarm.key.period for one in alarms if one.alarm.key.model == key.model})
    version = f" version {key.version}" if key.version is not None else ""
    raise RequestError(
        f"no alarm was raised for {key.model}{version}, {key.population.value} of {key.period} (periods with alarms: "
        f"{', '.join(periods) or 'none'}); run `thinfile watch alarms` to list them"
    )


def _check(why: str, by: str | None) -> None:
    if not why.strip():
        raise RequestError("an acknowledgement needs a reason: why='...'")
    if len(why) > LONGEST_WHY:
        raise RequestError(f"why has {len(why):,} characters; use at most {LONGEST_WHY:,} characters")
    if by is not None and not by.strip():
        raise RequestError("by is blank; name the person, or leave it out to use your own account")
