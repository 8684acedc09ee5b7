"""What the search for data faults reads of a window: its counts, how its rows came in, and whether they repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitoring.faults.finding import find_faults
from monitoring.faults.observed import Intake, Observed
from monitoring.faults.repeats import repeated_share
from monitoring.period_report import Fault
from monitoring.references import Reference
from monitoring.windows import Window, counted, earlier_periods, sample_of
from pipelines.batch.receipts import Receipts, added
from pipelines.reference_profile import ReferenceProfile
from pipelines.score_log import LogKey, ScoreLog
from pipelines.window_profile import WindowProfile
from pipelines.workspace import Workspace

MOST_EARLIER = 12
REPEATS_KNOWN = 3
"""Of so many earlier periods the rows are searched for repeats too."""


def faults_of(
    workspace: Workspace, log: ScoreLog, window: Window, reference: Reference, sample: pd.DataFrame
) -> list[Fault]:
    """Return the data faults of a window, told apart from the periods before it."""
    profile, key = reference.profile, window.key
    earlier = [period for period in earlier_periods(log, key) if period < window.periods[0]][-MOST_EARLIER:]
    before = [
        _earlier(workspace, log, replace(key, period=period), profile, with_repeats=place < REPEATS_KNOWN)
        for place, period in enumerate(reversed(earlier))
    ]
    keys = [replace(key, period=period) for period in window.periods]
    now = Observed(
        window.periods[-1],
        len(window),
        window.profile.overall.columns,
        intake_of(workspace, log, keys),
        repeated_share(sample, log_rows(log, key, profile)),
    )
    return find_faults(profile, now, sample, before, months=months_of(reference))


def months_of(reference: Reference) -> Mapping[str, NDArray[np.int64]]:
    """Return for each column the counts of each period of a reference, shape (periods, bins)."""
    tallies = [tally for tally in reference.overall.values() if tally.columns]
    return {
        one.column: np.array([tally.columns[one.column] for tally in tallies])
        for one in reference.profile.bins
        if tallies
    }


def intake_of(workspace: Workspace, log: ScoreLog, keys: Sequence[LogKey]) -> Intake | None:
    """Return how the rows of some keys came in, None where a partition has no receipt (those of the service have none)."""
    found = []
    for key in keys:
        receipts = Receipts(key.folder(workspace.score_log / "receipts"))
        for name in (file.removesuffix(".parquet") for file in log.partitions(key)):
            if not (receipts.folder / f"{name}.json").exists():
                return None
            found.append(receipts.of(name))
    months = [one.last_month for one in found if one.last_month is not None]
    return Intake(
        rows=sum(one.rows - one.other_periods for one in found),
        quarantined=added([one.quarantined for one in found]),
        fingerprints=frozenset(one.fingerprint for one in found),
        last_month=max(months, default=None),
    )


def log_rows(log: ScoreLog, key: LogKey, profile: ReferenceProfile) -> int:
    """Return how many decisions a period has."""
    return counted(log, key, profile).overall.rows


def _earlier(
    workspace: Workspace, log: ScoreLog, key: LogKey, profile: ReferenceProfile, *, with_repeats: bool
) -> Observed:
    found: WindowProfile = counted(log, key, profile)
    rows = found.overall.rows
    repeated = repeated_share(sample_of(log, key), rows) if with_repeats else None
    return Observed(key.period, rows, found.overall.columns, intake_of(workspace, log, [key]), repeated)
