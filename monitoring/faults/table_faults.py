"""Data faults of the tables that features are made of: seen in the month that they begin.

A feature of the last 30 or 180 days holds little of a fault that began this month. The orders and applications of the
month itself hold nothing else, and they name what broke: a column of a table, not the features that it went into.
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
from monitoring.faults.finding import find_faults
from monitoring.faults.observed import Observed
from monitoring.windows.months import end_of, month_from
from monitoring.windows.references import Reference
from monitoring.windows.windows import Window
from pipelines.credit.population import Population
from pipelines.marketplace.buckets import CLEAN
from pipelines.profiles.reference_profile import ANY_TIME, FrozenBins, ReferenceProfile
from pipelines.storage.workspace import Workspace

MONTHS = 12
"""A month is compared with so many before it."""

LEAST_MONTHS = 3
SAMPLED = 200_000
"""So many rows of the window are looked at value by value; its counts are of all."""


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


def faults_of_marketplace(workspace: Workspace, name: str | None, window: Window, reference: Reference) -> list[Fault]:
    """Return the faults of the tables below lake/`name` in the months of a window, against those of its reference."""
    if name is None:
        return []
    months = [period for period in reference.overall if period != ANY_TIME]
    return table_faults(workspace.lake / name, window.periods, months)


def table_faults(lake: Path, periods: Sequence[str], since: Sequence[str] = ()) -> list[Fault]:
    """Return the faults of a window's events in the clean tables of a prepared marketplace, each column by itself.

    `lake` is the folder of the marketplace, `periods` are the months of the window. They are compared with the months
    `since`, such as those of a reference, by default with the twelve before. Nothing is found where a table does not
    reach the window, or knows fewer than three months before it.
    """
    return [fault for events in EVENTS for fault in _faults(lake, events, periods, since)]


def _faults(lake: Path, events: _Events, periods: Sequence[str], since: Sequence[str]) -> Iterator[Fault]:
    before = [month_from(periods[0], -back) for back in range(MONTHS, 0, -1)]
    reference = [one for one in since if one < periods[0]] or before
    counted = _Counted(set(periods), _frozen(_read(lake, events, reference)))
    for rows in _read(lake, events, {*reference, *before, *periods}):
        counted.add(rows)
    known = [one for one in reference if one in counted.rows]
    if len(known) < LEAST_MONTHS or any(one not in counted.rows for one in periods):
        return
    total = counted.observed(known)
    profile = ReferenceProfile(
        total.rows,
        Population.applications,
        tuple(counted.bins),
        {name: tuple(found.tolist()) for name, found in total.counts.items()},
    )
    found = find_faults(
        profile,
        counted.observed(periods),
        pd.concat(counted.newest, ignore_index=True),
        [counted.observed([one]) for one in before if one in counted.rows],
        months={one.column: np.array([counted.counts[period][one.column] for period in known]) for one in counted.bins},
    )
    yield from (one for one in found if one.column is not None)


def _frozen(reference: Iterator[pd.DataFrame]) -> list[FrozenBins]:
    """Return the bins of each column, frozen at the first rows that there are: buckets are alike."""
    for rows in (one.drop(columns="month") for one in reference if len(one)):
        values = {str(name): _values(rows[name]) for name in rows}
        return [
            FrozenBins.of_levels(name, found) if found.dtype == object else FrozenBins.of_numbers(name, found)
            for name, found in values.items()
        ]
    return []


@dataclass
class _Counted:
    """Counts of each month's events in frozen bins, by month and column, and the rows of the window."""

    window: set[str]
    bins: list[FrozenBins]
    rows: dict[str, int] = field(default_factory=dict)
    counts: dict[str, dict[str, NDArray[np.int64]]] = field(default_factory=dict)
    newest: list[pd.DataFrame] = field(default_factory=list)

    def add(self, rows: pd.DataFrame) -> None:
        """Count some rows."""
        for period, some in rows.groupby("month"):
            month = self.counts.setdefault(str(period), {one.column: _none(one) for one in self.bins})
            self.rows[str(period)] = self.rows.get(str(period), 0) + len(some)
            for one in self.bins:
                month[one.column] += one.count(_values(some[one.column]))
            if str(period) in self.window and sum(map(len, self.newest)) < SAMPLED:
                self.newest.append(some.drop(columns="month"))

    def observed(self, periods: Sequence[str]) -> Observed:
        """Return what was counted of some months."""
        counts = {one.column: np.sum([self.counts[period][one.column] for period in periods], 0) for one in self.bins}
        return Observed(periods[-1], sum(self.rows[one] for one in periods), counts)


def _read(lake: Path, events: _Events, periods: Collection[str]) -> Iterator[pd.DataFrame]:
    """Yield the events of some months, bucket by bucket: `month` and the columns that the table has, by full name."""
    begins, ends = pd.Timestamp(f"{min(periods)}-01"), pd.Timestamp(end_of(max(periods)))
    for place in sorted((lake / CLEAN / events.table).glob("bucket=*/*.parquet")):
        there = pq.ParquetFile(place).schema_arrow.names
        names = [name for name in (*events.numeric, *events.categorical) if name in there]
        when = [(events.time, ">=", begins), (events.time, "<", ends)]
        rows = pq.read_table(place, columns=[events.time, *names], filters=when, partitioning=None).to_pandas()
        rows["month"] = rows.pop(events.time).to_numpy().astype("datetime64[M]").astype(str)
        yield rows[rows["month"].isin(periods)].rename(columns={name: f"{events.table}.{name}" for name in names})


def _values(column: "pd.Series[Any]") -> NDArray[Any]:
    """Return numbers as float64, levels as text or None."""
    if is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return column.astype(object).where(column.notna(), None).to_numpy()


def _none(bins: FrozenBins) -> NDArray[np.int64]:
    return np.zeros(len(bins.labels), dtype=np.int64)
