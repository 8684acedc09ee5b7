"""Data faults of the tables that features are computed from, and levels that come or go, in the month they begin.

A feature over the last 30 or 180 days shows little of a fault that began this month. The orders and applications of
the month show it fully, and name the column of the table instead of the features computed from it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from monitoring.faults.fault import Fault
from monitoring.faults.observed import Observed
from monitoring.faults.search import find_faults
from monitoring.thresholds.level_shares import levels_of_column
from monitoring.thresholds.share_changes import ShareChange
from monitoring.windows.months import end_of, month_from
from monitoring.windows.references import Reference
from monitoring.windows.windows import Window
from pipelines.credit.population import Population
from pipelines.marketplace.buckets import CLEAN
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.reference_profile import ANY_TIME, ReferenceProfile
from pipelines.storage.workspace import Workspace

MONTHS = 12
"""Months before the window that it is compared with."""

LEAST_MONTHS = 3
SAMPLED = 200_000
"""Rows of the window whose values are compared; counts are of all rows."""


@dataclass(frozen=True)
class _Events:
    """A table with a row per event, the time of the event, and the columns that are known from then on."""

    table: str
    time: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]


EVENTS = (
    _Events("orders", "ordered_at", ("amount", "discount"), ("category", "channel", "payment_method")),
    _Events("applications", "applied_at", ("principal", "term"), ("basket_category",)),
)


@dataclass(frozen=True)
class TableFindings:
    """Data faults, and levels that vanished or appeared, of columns named `table.column`."""

    faults: tuple[Fault, ...] = ()
    share_changes: tuple[ShareChange, ...] = ()


def findings_of_marketplace(
    workspace: Workspace, name: str | None, window: Window, reference: Reference
) -> TableFindings:
    """Return what is found in the tables in lake/`name` in the months of a window, compared with the reference."""
    if name is None:
        return TableFindings()
    months = [period for period in reference.overall if period != ANY_TIME]
    return table_findings(workspace.lake / name, window.periods, months)


def table_findings(lake: Path, periods: Sequence[str], since: Sequence[str] = ()) -> TableFindings:
    """Return what is found of a window's events in the clean tables of a prepared marketplace, each column by itself.

    `lake` is the folder of the marketplace, `periods` are the months of the window. They are compared with the months
    `since`, such as those of a reference, by default with the twelve before. Nothing is found where a table has no
    rows in the window, or fewer than three months before it.
    """
    found = [_findings(lake, events, periods, since) for events in EVENTS]
    return TableFindings(
        tuple(fault for one in found for fault in one.faults),
        tuple(change for one in found for change in one.share_changes),
    )


def _findings(lake: Path, events: _Events, periods: Sequence[str], since: Sequence[str]) -> TableFindings:
    before = [month_from(periods[0], -back) for back in range(MONTHS, 0, -1)]
    reference = [one for one in since if one < periods[0]] or before
    events_by_month = _EventCounts(set(periods), _frozen(_read(lake, events, reference)))
    for rows in _read(lake, events, {*reference, *before, *periods}):
        events_by_month.add(rows)
    months = [one for one in reference if one in events_by_month.rows]
    if len(months) < LEAST_MONTHS or any(one not in events_by_month.rows for one in periods):
        return TableFindings()
    sample, by_column = pd.concat(events_by_month.newest, ignore_index=True), events_by_month.by_column(months)
    now = events_by_month.observed(periods)
    faults = find_faults(
        events_by_month.profile(months),
        now,
        sample,
        [events_by_month.observed([one]) for one in before if one in events_by_month.rows],
        months=by_column,
    )
    changes = [
        change
        for bins in events_by_month.bins
        if bins.edges is None
        for change in levels_of_column(bins, by_column[bins.column], now.counts[bins.column], sample[bins.column])
    ]
    return TableFindings(tuple(one for one in faults if one.column is not None), tuple(changes))


def _frozen(reference: Iterator[pd.DataFrame]) -> list[FrozenBins]:
    """Return the bins of each column, frozen at the first bucket with rows: buckets are alike."""
    for rows in (one.drop(columns="month") for one in reference if len(one)):
        columns = {str(name): _values(rows[name]) for name in rows}
        return [
            FrozenBins.of_levels(name, values) if values.dtype == object else FrozenBins.of_numbers(name, values)
            for name, values in columns.items()
        ]
    return []


@dataclass
class _EventCounts:
    """Counts of each month's events in frozen bins, by month and column, and the rows of the window."""

    window: set[str]
    bins: list[FrozenBins]
    rows: dict[str, int] = field(default_factory=dict)
    counts: dict[str, dict[str, NDArray[np.int64]]] = field(default_factory=dict)
    newest: list[pd.DataFrame] = field(default_factory=list)

    def add(self, rows: pd.DataFrame) -> None:
        for period, some in rows.groupby("month"):
            empty = {one.column: np.zeros(len(one.labels), dtype=np.int64) for one in self.bins}
            month = self.counts.setdefault(str(period), empty)
            self.rows[str(period)] = self.rows.get(str(period), 0) + len(some)
            for one in self.bins:
                month[one.column] += one.count(_values(some[one.column]))
            if str(period) in self.window and sum(map(len, self.newest)) < SAMPLED:
                self.newest.append(some.drop(columns="month"))

    def observed(self, months: Sequence[str]) -> Observed:
        counts = {name: np.sum(by_month, 0) for name, by_month in self.by_column(months).items()}
        return Observed(months[-1], sum(self.rows[one] for one in months), counts)

    def profile(self, months: Sequence[str]) -> ReferenceProfile:
        total = self.observed(months)
        counts = {name: tuple(rows.tolist()) for name, rows in total.counts.items()}
        return ReferenceProfile(total.rows, Population.applications, tuple(self.bins), counts)

    def by_column(self, months: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        return {one.column: np.array([self.counts[month][one.column] for month in months]) for one in self.bins}


def _read(lake: Path, events: _Events, periods: Collection[str]) -> Iterator[pd.DataFrame]:
    """Yield the events of some months, bucket by bucket: `month` and the columns that the table has, by full name."""
    begins, ends = pd.Timestamp(f"{min(periods)}-01"), pd.Timestamp(end_of(max(periods)))
    for file in sorted((lake / CLEAN / events.table).glob("bucket=*/*.parquet")):
        columns = pq.ParquetFile(file).schema_arrow.names
        names = [name for name in (*events.numeric, *events.categorical) if name in columns]
        when = [(events.time, ">=", begins), (events.time, "<", ends)]
        rows = pq.read_table(file, columns=[events.time, *names], filters=when, partitioning=None).to_pandas()
        rows["month"] = rows.pop(events.time).to_numpy().astype("datetime64[M]").astype(str)
        yield rows[rows["month"].isin(periods)].rename(columns={name: f"{events.table}.{name}" for name in names})


def _values(column: "pd.Series[Any]") -> NDArray[Any]:
    if is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return column.astype(object).where(column.notna(), None).to_numpy()
