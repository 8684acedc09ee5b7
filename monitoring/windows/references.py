"""The reference of a window: the development sample of its model, or earlier periods of the score log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.windows.months import joined
from monitoring.windows.settings import DEVELOPMENT
from monitoring.windows.windows import PeriodCounts, earlier_periods
from pipelines.errors import RequestError
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.dimensions import bare_name
from pipelines.profiles.reference_profile import ANY_TIME, ReferenceProfile
from pipelines.profiles.window_profile import WindowProfile
from pipelines.score_log.key import LogKey, check_period

MOST_EARLIER = 24
"""Earlier periods of a segment that it is compared with."""


@dataclass(frozen=True)
class Reference:
    """Counts of the periods that a window is compared with, in the same bins.

    `overall` and `segments` (by segment, then by period) may be of different periods: a development sample has no
    segments, so these are compared with their own earlier periods. `name` describes the reference in words.
    """

    name: str
    profile: ReferenceProfile
    overall: Mapping[str, Tally]
    segments: Mapping[str, Mapping[str, Tally]]
    is_development: bool

    def of_segment(self, name: str) -> Mapping[str, Tally]:
        """Return the counts of a segment by period; earlier versions counted `channel=web` as `web`."""
        return {**self.segments.get(bare_name(name), {}), **self.segments.get(name, {})}

    @property
    def total(self) -> Tally:
        """The counts of all its periods."""
        return sum(self.overall.values(), Tally())


def reference_for(counts: PeriodCounts, key: LogKey, setting: str, begin: str | None = None) -> Reference:
    """Return the reference of a setting: `development`, a period, or a range of periods (`FIRST..LAST`).

    `begin` is the first period of the window, by default that of the key.

    Raises:
        RequestError: the development sample is of another population; a period was not scored, or is not before the
            window.
    """
    if setting == DEVELOPMENT:
        return _development(counts, key)
    return _earlier(counts, key, setting, begin or key.period)


def _development(counts: PeriodCounts, key: LogKey) -> Reference:
    profile = counts.profile
    if key.population is not profile.population:
        raise RequestError(
            f"the window has the population '{key.population.value}', the development sample of the model "
            f"'{profile.population.value}'; set population={profile.population.value}, or compare with an earlier "
            "period of the score log: reference=YYYY-MM"
        )
    overall = profile.by_period or {ANY_TIME: Tally(profile.rows, _arrays(profile))}
    periods = earlier_periods(counts.log, key)[-MOST_EARLIER:]
    months = "" if set(overall) == {ANY_TIME} else f", {joined(sorted(overall))}"
    name = f"{profile.rows:,} {profile.population.value} of the development sample{months}"
    return Reference(name, profile, overall, _segments(_counted(counts, key, periods)), is_development=True)


def _earlier(counts: PeriodCounts, key: LogKey, setting: str, begin: str) -> Reference:
    first, _, last = setting.partition("..")
    last = last or first
    for period in (first, last):
        check_period(period, "reference")
    if last < first:
        raise RequestError(f"reference={setting} ends before it begins; write reference={last}..{first}")
    scored = [period for period in earlier_periods(counts.log, key) if period < begin]
    periods = [period for period in scored if first <= period <= last]
    advice = (
        f"(scored before it: {', '.join(scored) or 'none'}); name one of these, a range FIRST..LAST of them, or "
        f"reference={DEVELOPMENT}"
    )
    if last >= begin:
        raise RequestError(f"reference={setting} is not before the window, which begins with {begin} {advice}")
    if not periods or first not in scored:
        raise RequestError(f"reference={setting} was not scored {advice}")
    profiles = _counted(counts, key, periods)
    overall = {period: one.overall for period, one in profiles.items()}
    rows = sum(one.rows for one in overall.values())
    name = f"{rows:,} {key.population.value} of {joined(periods)}"
    return Reference(name, counts.profile, overall, _segments(profiles), is_development=False)


def _counted(counts: PeriodCounts, key: LogKey, periods: Sequence[str]) -> dict[str, WindowProfile]:
    return {period: counts.of(replace(key, period=period)) for period in periods}


def _segments(profiles: Mapping[str, WindowProfile]) -> dict[str, dict[str, Tally]]:
    names = {name for one in profiles.values() for name in one.segments}
    return {
        name: {period: one.segments[name] for period, one in profiles.items() if name in one.segments}
        for name in sorted(names)
    }


def _arrays(profile: ReferenceProfile) -> dict[str, NDArray[np.int64]]:
    return {column: np.array(counts, dtype=np.int64) for column, counts in profile.counts.items()}
