"""The decisions of a report: periods of the score log, with the counts that are stored with them."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.windows.months import joined, month_from, months_between
from monitoring.windows.settings import WindowKind, WindowSettings
from pipelines.errors import ConfigurationError, RequestError
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.reference_profile import SCORE, ReferenceProfile
from pipelines.profiles.score_counts import ScoreCounts
from pipelines.profiles.window_profile import WindowProfile, name_of_bins
from pipelines.score_log.key import LogKey, check_period
from pipelines.score_log.score_log import ScoreLog


@dataclass(frozen=True)
class Window:
    """Decisions of one or more periods: their counts in the bins of a profile, overall and by segment.

    `key` is that of the last period. `incomplete` is the reason why the window cannot be compared yet, None for a
    complete one. `policy_hash` is that of the last decisions.
    """

    key: LogKey
    periods: tuple[str, ...]
    profile: WindowProfile
    policy_hash: str
    incomplete: str | None = None

    def __len__(self) -> int:
        return self.profile.overall.rows

    @property
    def name(self) -> str:
        """The window in words."""
        return joined(self.periods)


class PeriodCounts:
    """The counts of the periods of a score log in the bins of one profile, each read once."""

    def __init__(self, log: ScoreLog, profile: ReferenceProfile) -> None:
        self.log, self.profile = log, profile
        self._by_key: dict[LogKey, WindowProfile] = {}

    def of(self, key: LogKey) -> WindowProfile:
        """Return the counts of a period.

        Stored counts are added up; only partitions without them are read row by row.

        Raises:
            RequestError: a partition was counted in other bins and only a sample of its features is stored.
        """
        if key not in self._by_key:
            total = WindowProfile(name_of_bins(self.profile), Tally(), {})
            for partition in self.log.partitions(key):
                written = self.log.profile(key, partition)
                same = written is not None and written.bins == total.bins
                total += written if written is not None and same else _from_rows(self.log, key, partition, self.profile)
            self._by_key[key] = total.with_dimensions()
        return self._by_key[key]


def open_window(counts: PeriodCounts, key: LogKey, settings: WindowSettings) -> Window:
    """Return the window of the settings; `key` is that of its last period.

    Raises:
        RequestError: nothing was scored in a period, or its features are needed and not all stored.
    """
    log = counts.log
    periods = periods_of(log, key, settings)
    parts = [counts.of(replace(key, period=period)) for period in periods]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    incomplete = why_incomplete(key.period, settings.today)
    if incomplete is None and not log.is_whole(key):
        incomplete = f"{key.period} is only partly scored; run the same `thinfile score` again to finish it"
    return Window(key, periods, whole.with_dimensions(), policy_hash_of(log, key), incomplete)


def periods_of(log: ScoreLog, key: LogKey, settings: WindowSettings) -> tuple[str, ...]:
    """Return the periods of the window, in order; the last is that of the key.

    Raises:
        RequestError: nothing was scored in it.
    """
    scored = log.periods(key)
    if key.period not in scored or not log.partitions(key):
        others = [f"version={other.version}" for other in log.other_versions(key)]
        advice = f"use {' or '.join(others)}" if others else "run `thinfile score` for the period or choose another one"
        raise RequestError(
            f"{key.model} version {key.version} has no scores of {key.period} (it has: {', '.join(scored) or 'none'}); "
            f"{advice}"
        )
    first = {
        WindowKind.period: key.period,
        WindowKind.rolling: month_from(key.period, 1 - settings.months),
        WindowKind.since_promotion: scored[0],
    }
    return tuple(period for period in scored if first[settings.window] <= period <= key.period)


def check_window(period: str, settings: WindowSettings) -> None:
    """Raise RequestError for a window that has no month, or a range of months in place of its last one."""
    first, is_range, last = period.partition("..")
    if settings.months < 1:
        raise RequestError(f"months is {settings.months}; set at least 1")
    apart = months_between(first, last) if is_range else None
    if apart is not None and apart >= 0:
        raise RequestError(
            f"period is the range {period}, and a report is about a window up to one month; set period={last} "
            f"window=rolling months={apart + 1} to compare these months together"
        )
    check_period(period)


def why_incomplete(period: str, today: str | None) -> str | None:
    """Return why a period cannot be compared yet, None once its month is over.

    >>> why_incomplete("2026-10", "2026-11-01"), why_incomplete("2026-11", "2026-11-01")
    (None, '2026-11 is not over on 2026-11-01')
    """
    now = day_of(today)
    return None if now[:7] > period else f"{period} is not over on {now}"


def day_of(today: str | None) -> str:
    """Return the day that decides what is over: the configured one, by default that of the calendar.

    Raises:
        ConfigurationError: it is not an ISO date.
    """
    if today is None:
        return date.today().isoformat()
    try:
        return date.fromisoformat(today).isoformat()
    except ValueError:
        raise ConfigurationError(f"today is '{today}'; write an ISO date such as 2026-11-01") from None


def sample_of(log: ScoreLog, key: LogKey) -> pd.DataFrame:
    """Return the stored features of a period's decisions, a sample for a large table."""
    return log.features(key).drop(columns="decision_id", errors="ignore")


def earlier_periods(log: ScoreLog, key: LogKey) -> list[str]:
    """Return the periods before a key's that the same model version scored, in order."""
    return [period for period in log.periods(key) if period < key.period]


def counted_columns(
    profile: ReferenceProfile, decisions: pd.DataFrame, features: pd.DataFrame
) -> dict[str, NDArray[Any]]:
    """Return the columns that a profile counts: points and numbers as float64, categories as text or None."""
    columns: dict[str, NDArray[Any]] = {}
    for bins in profile.bins:
        values = decisions["points"] if bins.column == SCORE else features[bins.column]
        if bins.edges is not None:
            columns[bins.column] = values.to_numpy(dtype=float)
        else:
            columns[bins.column] = values.astype(object).where(values.notna(), None).to_numpy()
    return columns


def _from_rows(log: ScoreLog, key: LogKey, partition: str, profile: ReferenceProfile) -> WindowProfile:
    decisions, features = log.part(key, partition)
    if len(features) < len(decisions):
        raise RequestError(
            f"partition {partition} of {key.period} was counted in other bins than those of the reference profile, and "
            "only a sample of its features is stored to count it again; restore the profile that it was scored with"
        )
    features = decisions[["decision_id"]].merge(features, on="decision_id", how="left", validate="1:1")
    name = name_of_bins(profile)
    parts = rows_by_segment(decisions)
    tallies = {one: _tally(profile, decisions.iloc[rows], features.iloc[rows]) for one, rows in parts.items()}
    return WindowProfile(name, _tally(profile, decisions, features), tallies)


def rows_by_segment(decisions: pd.DataFrame) -> dict[str, NDArray[np.intp]]:
    """Return the rows of each segment, by the names of earlier versions where a file has no others."""
    bare = decisions["segment"].map(lambda name: [name], na_action="ignore")
    names = decisions["segments"].where(decisions["segments"].notna(), bare).explode().dropna()
    return {str(name): rows.to_numpy(np.intp) for name, rows in names.groupby(names).groups.items()}


def _tally(profile: ReferenceProfile, decisions: pd.DataFrame, features: pd.DataFrame) -> Tally:
    columns = counted_columns(profile, decisions, features)
    bands, outcomes = (_named(decisions[name]) for name in ("band", "decision"))
    scores = ScoreCounts.of(decisions["points"].to_numpy(np.int64), decisions["pd"].to_numpy(float))
    counts = {bins.column: bins.count(columns[bins.column]) for bins in profile.bins}
    return Tally(len(decisions), counts, bands, outcomes, scores=scores)


def _named(values: "pd.Series[Any]") -> Counter[str]:
    return Counter({str(name): int(number) for name, number in values.value_counts().items()})


def policy_hash_of(log: ScoreLog, key: LogKey) -> str:
    """Return the hash of the policy of a period's last decisions, "" without decisions."""
    for partition in reversed(log.partitions(key)):  # a partition without decisions has no policy
        with pq.ParquetFile(log.file(key, partition)) as file:
            for batch in file.iter_batches(1, columns=["policy_hash"]):
                return str(batch.column(0)[0].as_py())
    return ""
