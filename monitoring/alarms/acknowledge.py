"""A person has seen an alarm: it is quiet until it worsens, or the acknowledgement lapses."""

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
class About:
    """Which alarm: that of a model, a population and a period, and of a version where one is named."""

    model: str
    population: Population
    period: str
    version: int | None = None

    def is_of(self, alarm: Alarm) -> bool:
        """Return whether an alarm is this one."""
        key = alarm.key
        same = (key.model, key.population, key.period) == (self.model, self.population, self.period)
        return same and self.version in (None, key.version)


def acknowledge(workspace: Workspace, about: About, *, why: str, by: str | None = None) -> Logged:
    """Acknowledge the last alarm of a period and return the entry; said again alike, it is the entry that is there.

    `by` is who has seen it, by default whose account runs this process, which is written beside it in any case. `why`
    is kept for ever.

    Raises:
        RequestError: no alarm was raised for the period; no reason, or a very long one; nobody's name.
        ChainBroken: the alarm log is not what was written.
    """
    _check(why, by)
    said = {"by": by or account(), "account": account(), "why": why}
    alarms = AlarmLog(workspace)
    _last_alarm(alarms.read(), about)  # a request that is wrong creates nothing
    with alarms.alone():
        entries = alarms.read()
        alarm = _last_alarm(entries, about).alarm
        own = [one for one in entries if one.event is Event.ACKNOWLEDGED and one.alarm == alarm]
        if own and said.items() <= own[-1].words.items():
            return own[-1]
        return alarms.write(Event.ACKNOWLEDGED, alarm, entries, **said)


def _last_alarm(entries: Sequence[Logged], about: About) -> Logged:
    """Return the entry of the last alarm that is meant, raised or kept quiet."""
    alarms = [one for one in entries if one.event in (Event.RAISED, Event.QUIET)]
    found = next((one for one in reversed(alarms) if about.is_of(one.alarm)), None)
    if found is not None:
        return found
    known = sorted({one.alarm.key.period for one in alarms if one.alarm.key.model == about.model})
    version = f" version {about.version}" if about.version is not None else ""
    raise RequestError(
        f"an alarm is acknowledged by model, population and period, none was raised for {about.model}{version}, "
        f"{about.population.value} of {about.period}; periods with alarms: {', '.join(known) or 'none'} "
        "(`thinfile watch alarms` lists them)"
    )


def _check(why: str, by: str | None) -> None:
    if not why.strip():
        raise RequestError("an acknowledgement is explained in the alarm log, received no why; add why='...'")
    if len(why) > LONGEST_WHY:
        raise RequestError(f"why has at most {LONGEST_WHY:,} letters, received {len(why):,}; say it shorter")
    if by is not None and not by.strip():
        raise RequestError("by names who has seen the alarm, received blanks; leave it out for your own account")
