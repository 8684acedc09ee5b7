"""What a window is compared with: the development of its model, or earlier periods of the score log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.windows.settings import DEVELOPMENT
from monitoring.windows.windows import PeriodCounts, earlier_periods, joined
from pipelines.errors import RequestError
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.reference_profile import ANY_TIME, ReferenceProfile
from pipelines.profiles.window_profile import WindowProfile
from pipelines.score_log.key import LogKey, check_period

MOST_EARLIER = 24
"""Segments are compared with so many of their own earlier periods."""


@dataclass(frozen=True)
class Reference:
    """Counts of the periods that a window is compared with, in the same bins.

    `overall` and `segments` (by segment, then by period) may be of different periods: a model's development knows no
    segments, which are compared with their own earlier periods. `name` says in words what it is.
    """

    name: str
    profile: ReferenceProfile
    overall: Mapping[str, Tally]
    segments: Mapping[str, Mapping[str, Tally]]
    is_development: bool

    @property
    def total(self) -> Tally:
        """The counts of all its periods."""
        return sum(self.overall.values(), Tally())


def reference_for(counts: PeriodCounts, key: LogKey, asked: str) -> Reference:
    """Return the reference that is asked for: `development`, a period, or the first and last of some (`..` between).

    Raises:
        RequestError: the development is of another population; a period was not scored, or not before the window.
    """
    if asked == DEVELOPMENT:
        return _development(counts, key)
    return _earlier(counts, key, asked)


def _development(counts: PeriodCounts, key: LogKey) -> Reference:
    profile = counts.profile
    if key.population is not profile.population:
        raise RequestError(
            f"a window is compared with a reference of its own population, received '{key.population.value}' against "
            f"'{profile.population.value}'; watch population={profile.population.value}, or compare with an earlier "
            "period of the log: reference=YYYY-MM"
        )
    overall = profile.by_period or {ANY_TIME: Tally(profile.rows, _arrays(profile))}
    periods = earlier_periods(counts.log, key)[-MOST_EARLIER:]
    told = "" if set(overall) == {ANY_TIME} else f" of {joined(sorted(overall))}"
    name = f"{profile.rows:,} {profile.population.value} of the model's development{told}"
    return Reference(name, profile, overall, _segments(_counted(counts, key, periods)), is_development=True)


def _earlier(counts: PeriodCounts, key: LogKey, asked: str) -> Reference:
    first, _, last = asked.partition("..")
    for period in (first, last or first):
        check_period(period)
    known = earlier_periods(counts.log, key)
    periods = [period for period in known if first <= period <= (last or first)]
    if not periods or first not in known:
        raise RequestError(
            f"a reference is a period that was scored before {key.period} (there are: {', '.join(known) or 'none'}), "
            f"received reference={asked}; name one of them, two with '..' between, or reference={DEVELOPMENT}"
        )
    found = _counted(counts, key, periods)
    overall = {period: one.overall for period, one in found.items()}
    rows = sum(one.rows for one in overall.values())
    name = f"{rows:,} {key.population.value} of {joined(periods)}"
    return Reference(name, counts.profile, overall, _segments(found), is_development=False)


def _counted(counts: PeriodCounts, key: LogKey, periods: Sequence[str]) -> dict[str, WindowProfile]:
    return {period: counts.of(replace(key, period=period)) for period in periods}


def _segments(found: Mapping[str, WindowProfile]) -> dict[str, dict[str, Tally]]:
    names = {name for one in found.values() for name in one.segments}
    return {
        name: {period: one.segments[name] for period, one in found.items() if name in one.segments}
        for name in sorted(names)
    }


def _arrays(profile: ReferenceProfile) -> dict[str, NDArray[np.int64]]:
    return {column: np.array(counts, dtype=np.int64) for column, counts in profile.counts.items()}
