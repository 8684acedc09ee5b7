"""The data faults of a window of the score log, from its counts, the receipts of its input and the periods before."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitoring.faults.duplicates import repeated_share
from monitoring.faults.fault import Fault
from monitoring.faults.observed import Intake, Observed, Searched
from monitoring.faults.search import find_faults
from monitoring.windows.references import Reference
from monitoring.windows.windows import PeriodCounts, Window, earlier_periods, sample_of
from pipelines.score_log.key import LogKey
from pipelines.score_log.receipts import Receipts, added
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.workspace import Workspace

MOST_EARLIER = 12
SEARCHED_FOR_REPEATS = 3
"""Earlier periods whose rows are also searched for repeats."""


def faults_of(
    workspace: Workspace, counts: PeriodCounts, window: Window, reference: Reference, sample: pd.DataFrame
) -> tuple[list[Fault], Searched]:
    """Return the data faults of a window, compared with the reference and with the periods before it.

    The second result is what could be searched.
    """
    key, log = window.key, counts.log
    earlier = [period for period in earlier_periods(log, key) if period < window.periods[0]][-MOST_EARLIER:]
    before = [
        _earlier(workspace, counts, replace(key, period=period), with_repeats=back < SEARCHED_FOR_REPEATS)
        for back, period in enumerate(reversed(earlier))
    ]
    before += _of_other_versions(log, key, window.periods[0], earlier)
    now = Observed(
        window.periods[-1],
        len(window),
        window.profile.overall.columns,
        intake_of(workspace, log, [replace(key, period=period) for period in window.periods]),
        repeated_share(sample, counts.of(key).overall.rows),
        window.profile.overall.scores,
        sum(_others(log, replace(key, period=period)) for period in window.periods),
    )
    faults = find_faults(reference.profile, now, sample, before, months=months_of(reference))
    return faults, searched_of(now, reference, sample, before)


def searched_of(
    window: Observed, reference: Reference, sample: pd.DataFrame, earlier: Sequence[Observed] = ()
) -> Searched:
    """Return what a window can be searched for."""
    return Searched(
        rows=window.rows,
        reference_rows=reference.total.rows,
        repeats=window.repeated is not None,
        values=not sample.empty,
        volume=any(one.volume for one in earlier),
    )


def months_of(reference: Reference) -> Mapping[str, NDArray[np.int64]]:
    """Return for each column the counts of each period of a reference, shape (periods, bins)."""
    tallies = [tally for tally in reference.overall.values() if tally.columns]
    columns = [one.column for one in reference.profile.bins] if tallies else []
    return {column: np.array([tally.columns[column] for tally in tallies]) for column in columns}


def intake_of(workspace: Workspace, log: ScoreLog, keys: Sequence[LogKey]) -> Intake | None:
    """Return how the rows of some keys came in, None where a part has no receipt, as those of the service."""
    parts = []
    for key in keys:
        receipts = Receipts(key.folder(workspace.score_log / "receipts"))
        for name in (file.removesuffix(".parquet") for file in log.partitions(key)):
            if not (receipts.folder / f"{name}.json").exists():
                return None
            parts.append(receipts.of(name))
    months = [one.last_month for one in parts if one.last_month is not None]
    return Intake(
        rows=sum(one.rows - one.other_periods for one in parts),
        quarantined=added([one.quarantined for one in parts]),
        fingerprints=frozenset(one.fingerprint for one in parts),
        last_month=max(months, default=None),
    )


def _earlier(workspace: Workspace, counts: PeriodCounts, key: LogKey, *, with_repeats: bool) -> Observed:
    tally = counts.of(key).overall
    repeated = repeated_share(sample_of(counts.log, key), tally.rows) if with_repeats else None
    intake, others = intake_of(workspace, counts.log, [key]), _others(counts.log, key)
    return Observed(key.period, tally.rows, tally.columns, intake, repeated, others=others)


def _of_other_versions(log: ScoreLog, key: LogKey, begin: str, own: Sequence[str]) -> list[Observed]:
    """Return the latest periods before a window that only other versions decided, with nothing but their volume."""
    keys = [one for one in log.logged_keys() if (one.model, one.population) == (key.model, key.population)]
    periods = sorted({one.period for one in keys if one.period < begin} - {*own})[-MOST_EARLIER:]
    return [Observed(one, 0, {}, others=_others(log, replace(key, period=one))) for one in periods]


def _others(log: ScoreLog, key: LogKey) -> int:
    return sum(map(log.count, log.other_versions(key)))
