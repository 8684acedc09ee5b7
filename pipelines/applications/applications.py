"""Applications ready for a model: features, and beside them identity, time, outcome and protected attributes."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.applications.contract import apply_contract, as_text
from pipelines.applications.roles import Roles
from pipelines.applications.settings import DataSettings
from pipelines.applications.sources import read_table
from pipelines.erasures.person import CUSTOMER
from pipelines.erasures.record import read_erasures
from pipelines.erasures.returning import Returning
from pipelines.errors import DataError
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.fingerprint import fingerprint_table
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

YES = ("True", "true", "1")
"""How a flag says yes."""


@dataclass(frozen=True)
class Applications:
    """Rows of applications that keep their contract, all of length n.

    `features` has the numeric columns as float64 (missing is NaN), then the categorical ones as text (missing is None).
    `bad` is 1 for default, 0 for good, None where outcomes were not asked for; `outcome_known_at` is when they were
    known, None where nobody told. `approved` and `by_lot` say whether an earlier policy approved each, and whether
    by lot; None where that was not asked for. `customers` and `segments` are text or None, where they are declared and
    the table is to be scored. `fingerprint` is that of the table as it was read, quarantined rows included; `erased`
    rows of people who were erased were left out of it, and `fingerprint_with_erased` is that of all.
    """

    features: pd.DataFrame
    ids: NDArray[np.str_]
    times: NDArray[np.datetime64] | None
    bad: NDArray[np.int8] | None
    protected: pd.DataFrame
    roles: Roles
    fingerprint: str
    quarantined: dict[str, int]
    outcome_known_at: NDArray[np.datetime64] | None = None
    approved: NDArray[np.bool_] | None = None
    by_lot: NDArray[np.bool_] | None = None
    customers: NDArray[np.object_] | None = None
    segments: NDArray[np.object_] | None = None
    erased: int = 0
    fingerprint_with_erased: str | None = None

    def __len__(self) -> int:
        return len(self.features)

    @property
    def outcomes(self) -> NDArray[np.int8]:
        """The labels; raises where there are none."""
        if self.bad is None:
            raise DataError("this step needs outcomes, the table has no label; add data.label=COLUMN")
        return self.bad

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
            customers=_some(self.customers, rows),
            segments=_some(self.segments, rows),
            protected=self.protected.iloc[rows].reset_index(drop=True),
        )

    def during(self, first: np.datetime64, last: np.datetime64) -> Self:
        """Return the applications made from a first to a last moment, both included; raises where there is no time."""
        if self.times is None:
            raise DataError("this step needs times, the table has none; add data.time=COLUMN")
        return self.take(np.flatnonzero((self.times >= first) & (self.times <= last)))


def _some(values: NDArray[Any] | None, rows: NDArray[np.intp]) -> NDArray[Any] | None:
    return None if values is None else values[rows]


def load_applications(
    data: DataSettings, workspace: Workspace, *, labelled: bool = True, decided: bool = False
) -> Applications:
    """Read a table, apply its contract and return its applications; broken rows go to the quarantine.

    `labelled` asks for outcomes, `decided` for what an earlier policy decided.

    Raises:
        DataError: the file or the table breaks a rule (see `read_table` and `apply_contract`), or no label is declared
            where outcomes are needed.
    """
    table = read_table(data)
    if labelled and data.label is None:
        raise DataError("learning needs outcomes, received no data.label; add data.label=COLUMN and data.bad=VALUE")
    everybody, table = table, _without_erased(table, data, workspace)
    roles = Roles.of(table, data, labelled=labelled, decided=decided)
    rows = apply_contract(table, roles, max_quarantined=data.max_quarantined)
    fingerprint = fingerprint_table(table)
    if rows.counts:
        _keep_quarantine(rows.quarantined, workspace.quarantine / f"{fingerprint[:16]}.parquet")
    found = _arrange(rows.clean, roles, fingerprint, rows.counts)
    if len(table) == len(everybody):
        return found
    erased = len(everybody) - len(table)
    return replace(found, erased=erased, fingerprint_with_erased=fingerprint_table(everybody))


def _without_erased(table: pd.DataFrame, data: DataSettings, workspace: Workspace) -> pd.DataFrame:
    """Return the rows of a table but for those of people who were erased, by customer_id and by the table's own id."""
    returning = Returning(read_erasures(workspace))
    if not returning:
        return table
    names = {"customers": CUSTOMER, "applications": data.id}
    told = {kind: as_text(table[name]).to_numpy(object) for kind, name in names.items() if name in table}
    is_erased = returning.rows(**told)
    if not told or not is_erased.any():
        return table
    log.info("left out %s rows of people who were erased", f"{is_erased.sum():,}")
    return table[~is_erased].reset_index(drop=True)


def _arrange(clean: pd.DataFrame, roles: Roles, fingerprint: str, quarantined: dict[str, int]) -> Applications:
    # Without an id, rows are named by their place in this very table: no two tables share a name.
    ids = as_text(clean[roles.id]) if roles.id else [f"{fingerprint[:12]}-{row}" for row in clean.index]
    bad = None if roles.label is None else (as_text(clean[roles.label]) == roles.bad).to_numpy().astype(np.int8)
    approved, by_lot = _decisions(clean, roles)
    clean = clean.reset_index(drop=True)
    customers, segments = (None if one is None else as_text(clean[one]).to_numpy(dtype=object)
                           for one in (roles.customer, roles.segment))  # fmt: skip
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
        customers=customers,
        segments=segments,
        protected=clean[list(roles.protected)],
        roles=roles,
        fingerprint=fingerprint,
        quarantined=quarantined,
    )


def _decisions(clean: pd.DataFrame, roles: Roles) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
    """Return who was approved, and who of them by lot; nobody where no column says so."""
    if roles.decision is None:
        return None, None
    approved = (as_text(clean[roles.decision]) == roles.approved).to_numpy()
    if roles.by_lot is None:
        return approved, np.zeros(len(clean), bool)
    return approved, approved & as_text(clean[roles.by_lot]).isin(YES).to_numpy()


def _keep_quarantine(rows: pd.DataFrame, path: Path) -> None:
    # A column that mixes numbers and text, as a broken one does, has no type of its own in Parquet.
    told = rows.copy()
    for column in (column for column in rows if rows[column].dtype == object):
        told[column] = as_text(rows[column])
    with whole_file(path) as temporary:
        told.to_parquet(temporary)
