"""Applications ready for a model: features, ids, times, outcomes and protected attributes."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.applications.contract import apply_contract, as_text, dates
from pipelines.applications.maturity import check_window, open_windows, possible_immaturity
from pipelines.applications.raw_rows import RawRows
from pipelines.applications.roles import Roles, check_special, customer_column
from pipelines.applications.segments import check_bands
from pipelines.applications.settings import DataSettings
from pipelines.applications.sources import opened_source
from pipelines.credit.loan import DAY, add_months
from pipelines.erasures.erased_rows import ErasedRows
from pipelines.erasures.record import read_erasures
from pipelines.errors import DataError
from pipelines.reading.column_types import ColumnType
from pipelines.reading.files import file_fingerprints
from pipelines.reading.frames import Frame, read_frame
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.fingerprint import fingerprint_table
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

YES = ("True", "true", "1")
"""Texts that mean yes in a column of flags."""


@dataclass(frozen=True)
class Applications:
    """Rows of applications that keep their contract; every member has n rows.

    `features` has the numeric columns as float64 (missing is NaN), then the categorical ones as text (missing is None).
    `bad` is 1 for default and 0 for good, or None where outcomes are not read, and `good` the label's value for the
    latter. `outcome_known_at` is when each outcome became known, or None where the table has no such column. `approved`
    and `by_lot` are the earlier policy's approvals and its random approvals, or None where decisions are not read.
    `groups` are the values of data.group, whose equal rows a split keeps together, or None without it. `later_dates`
    counts the rows in which another column has a date more than a day after the application. `immature` counts the
    applications left out because their performance window is open. `fingerprint` identifies the table read, quarantined
    rows included but without the `erased` rows of erased people; `fingerprint_with_erased` includes them. `raw` are the
    rows as the table has them, where they were asked for. `files` has the SHA-256 of each file read, by its name.
    """

    features: pd.DataFrame
    ids: NDArray[np.str_]
    times: NDArray[np.datetime64] | None
    bad: NDArray[np.int8] | None
    protected: pd.DataFrame
    roles: Roles
    fingerprint: str
    quarantined: dict[str, int]
    good: str | None = None
    outcome_known_at: NDArray[np.datetime64] | None = None
    approved: NDArray[np.bool_] | None = None
    by_lot: NDArray[np.bool_] | None = None
    groups: NDArray[np.object_] | None = None
    later_dates: Mapping[str, int] = field(default_factory=dict)
    immature: int = 0
    erased: int = 0
    fingerprint_with_erased: str | None = None
    raw: RawRows | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.features)

    @property
    def outcomes(self) -> NDArray[np.int8]:
        """The labels. Raises DataError where there are none."""
        if self.bad is None:
            raise DataError("the table has no label, and this step needs outcomes; add data.label=COLUMN")
        return self.bad

    @property
    def known_at_is_assumed(self) -> bool:
        """Whether outcomes count as known at the end of their window, because the table does not say when they were."""
        return self.outcome_known_at is not None and self.roles.outcome_known_at is None

    @property
    def possible_immaturity(self) -> str | None:
        """A bad rate that falls with recency, in words; None where it does not or the table says what is mature."""
        if self.times is None or self.outcome_known_at is not None or self.roles.status is not None:
            return None
        return possible_immaturity(self.times, self.outcomes)

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the applications, in the order of `rows`."""
        return replace(
            self,
            features=self.features.iloc[rows].reset_index(drop=True),
            ids=self.ids[rows],
            times=_some(self.times, rows),
            bad=_some(self.bad, rows),
            outcome_known_at=_some(self.outcome_known_at, rows),
            approved=_some(self.approved, rows),
            by_lot=_some(self.by_lot, rows),
            groups=_some(self.groups, rows),
            protected=self.protected.iloc[rows].reset_index(drop=True),
            raw=None if self.raw is None else self.raw.take(rows),
        )

    def during(self, first: np.datetime64, last: np.datetime64) -> Self:
        """Return the applications made from `first` to `last`, both included. Raises DataError without times."""
        if self.times is None:
            raise DataError("the table has no times, and this step needs them; add data.time=COLUMN")
        return self.take(np.flatnonzero((self.times >= first) & (self.times <= last)))


def _some(values: NDArray[Any] | None, rows: NDArray[np.intp]) -> NDArray[Any] | None:
    return None if values is None else values[rows]


def load_applications(
    data: DataSettings,
    workspace: Workspace,
    *,
    labelled: bool = True,
    decided: bool = False,
    types: Mapping[str, ColumnType] | None = None,
    keep_raw: bool = False,
) -> Applications:
    """Read a table, apply its contract and return its applications; broken rows go to the quarantine.

    `labelled` reads outcomes, `decided` reads the decisions of an earlier policy. `types` are what columns of another
    table were taken for, such as the one that a model is trained on. `keep_raw` keeps the rows as they are stored too.

    Raises:
        DataError: the file or the table breaks a rule (see `read_frame` and `apply_contract`), or no label is declared
            where outcomes are needed.
    """
    if labelled and data.label is None:
        raise DataError("data.label is not set, and training needs outcomes; add data.label=COLUMN and data.bad=VALUE")
    check_special(data)
    check_bands(data)
    frame, files = _read(data, workspace, types)
    everybody = frame.rows
    is_erased = _erased(frame, data, workspace)
    table = everybody if not is_erased.any() else everybody[~is_erased].reset_index(drop=True)
    fingerprint = fingerprint_table(table)
    for name in _identities(data, everybody):
        table = table.assign(**{name: frame.identities(name)[~is_erased]})
    roles = Roles.of(table, data, frame.types, labelled=labelled, decided=decided)
    before, table = len(table), _with_closed_windows(table, data) if labelled else table
    rows = apply_contract(table, roles, max_quarantined=data.max_quarantined, bad_is_declared=data.bad is not None)
    if rows.counts:
        _keep_quarantine(rows.quarantined, workspace.quarantine / f"{fingerprint[:16]}.parquet")
    applications = _arrange(rows.clean, roles, fingerprint, rows.counts)
    applications = replace(applications, immature=before - len(table), files=files)
    if keep_raw:
        positions = np.flatnonzero(~is_erased)[rows.clean.index.to_numpy()]
        applications = replace(applications, raw=RawRows(frame.table, positions))
    if labelled and data.performance_months is not None and applications.outcome_known_at is None:
        assert applications.times is not None
        known_at = add_months(applications.times, data.performance_months)
        applications = replace(applications, outcome_known_at=known_at)
    if not is_erased.any():
        return applications
    return replace(applications, erased=int(is_erased.sum()), fingerprint_with_erased=fingerprint_table(everybody))


def _with_closed_windows(table: pd.DataFrame, data: DataSettings) -> pd.DataFrame:
    """Return the rows whose performance window is over, with their index; all where no window is declared."""
    check_window(data)
    months, time = data.performance_months, data.time
    if months is None or time not in table or pd.api.types.is_numeric_dtype(table[time]):
        return table  # the contract names a column of times that is missing or has numbers
    is_open = open_windows(dates(table[time]).to_numpy("datetime64[us]"), months, data.as_of)
    if is_open.any():
        log.info("left out %s applications whose window of %d months is open", f"{is_open.sum():,}", months)
    return table[~is_open]


def _read(
    data: DataSettings, workspace: Workspace, types: Mapping[str, ColumnType] | None
) -> tuple[Frame, Mapping[str, str]]:
    """Return the table and the SHA-256 of its files.

    Text in a column of times is read as times even where most of it is not ISO.
    """
    times = [name for name in (data.time, data.outcome_known_at) if name]
    with opened_source(data, workspace.root) as path:
        frame = read_frame(path, data, workspace.root, types=types, numeric=data.numeric, times=times)
        return frame, file_fingerprints(path)


def _identities(data: DataSettings, rows: pd.DataFrame) -> list[str]:
    names = (data.id, data.group, customer_column(data, map(str, rows)))
    return [name for name in names if name is not None and name in rows]


def _erased(frame: Frame, data: DataSettings, workspace: Workspace) -> NDArray[np.bool_]:
    """Return which rows are those of erased people, by the ids of customers and applications."""
    returning = ErasedRows(read_erasures(workspace))
    names = {"customers": customer_column(data, map(str, frame.rows)), "applications": data.id}
    here = {kind: name for kind, name in names.items() if name is not None and name in frame.rows}
    ids = {kind: frame.identities(name) for kind, name in here.items()} if returning else {}
    if not ids:
        return np.zeros(len(frame.rows), bool)
    return returning.rows(**ids)


def _arrange(clean: pd.DataFrame, roles: Roles, fingerprint: str, quarantined: dict[str, int]) -> Applications:
    # Without an id, rows are named by the table's fingerprint and their position: no two tables share a name.
    ids = as_text(clean[roles.id]) if roles.id else [f"{fingerprint[:12]}-{row}" for row in clean.index]
    outcomes = None if roles.label is None else as_text(clean[roles.label])
    bad = None if outcomes is None else (outcomes == roles.bad).to_numpy().astype(np.int8)
    good = None if outcomes is None else next(iter(sorted({*outcomes.dropna()} - {roles.bad})), None)
    approved, by_lot = _decisions(clean, roles)
    clean = clean.reset_index(drop=True)
    time, known_at = (None if one is None else clean[one].to_numpy("datetime64[us]")
                      for one in (roles.time, roles.outcome_known_at))  # fmt: skip
    return Applications(
        features=clean[[*roles.numeric, *roles.categorical]],
        ids=np.asarray(ids, dtype=str),
        times=time,
        bad=bad,
        outcome_known_at=known_at,
        approved=approved,
        by_lot=by_lot,
        later_dates={} if time is None else _later_dates(clean, roles, time),
        groups=None if roles.group is None else as_text(clean[roles.group]).to_numpy(object),
        protected=clean[list(roles.protected)],
        roles=roles,
        fingerprint=fingerprint,
        quarantined=quarantined,
        good=good,
    )


def _later_dates(clean: pd.DataFrame, roles: Roles, times: NDArray[np.datetime64]) -> dict[str, int]:
    """Return in how many rows each column of dates lies after the application; outcome dates always do."""
    columns = [name for name in roles.other_times if name in clean]
    later = {name: dates(clean[name]).to_numpy("datetime64[us]") > times + DAY for name in columns}
    return {name: int(rows.sum()) for name, rows in later.items() if rows.any()}


def _decisions(clean: pd.DataFrame, roles: Roles) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
    """Return which applications were approved, and which of these at random."""
    if roles.decision is None:
        return None, None
    approved = (as_text(clean[roles.decision]) == roles.approved).to_numpy()
    if roles.by_lot is None:
        return approved, np.zeros(len(clean), bool)
    return approved, approved & as_text(clean[roles.by_lot]).isin(YES).to_numpy()


def _keep_quarantine(rows: pd.DataFrame, path: Path) -> None:
    # Parquet has no type for a column that mixes numbers and text, as a broken column often does.
    text = {str(column): as_text(rows[column]) for column in rows if rows[column].dtype == object}
    with whole_file(path) as temporary:
        rows.assign(**text).to_parquet(temporary)
