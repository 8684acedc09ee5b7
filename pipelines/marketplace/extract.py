"""Checks how far an extract reaches: later payments are missing from it and would count as unpaid."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds

from pipelines.credit.loan import LoanContract
from pipelines.errors import DataError
from pipelines.marketplace.buckets import CLEAN

TOLERANCE = timedelta(days=7)
"""Longest time without events: a small shop has quiet days, and a week without payments turns few loans bad."""

MOST_UNPAID = 20
"""If more instalments than this fall due after the last payment, the payments are taken to be missing."""


def check_as_of(lake: Path, loan: LoanContract, tables: Mapping[str, Any]) -> None:
    """Raise DataError where the clean tables do not reach the as-of date.

    `tables` are those of the intake, with the latest moment of each column. The date must be after the first
    application, at most TOLERANCE after the latest event of any table, and at most TOLERANCE after the last payment
    where more instalments fell due.
    """
    first = pc.min(pds.dataset(lake / CLEAN / "applications").to_table(["applied_at"])["applied_at"]).as_py()
    known_until: datetime = loan.known_until.astype(object)
    if first is None or first > known_until:
        raise DataError(
            f"loan.as_of={loan.as_of} is before the first application ({first}); raise loan.as_of or correct the times "
            "of the applications"
        )
    check_reach(lake, Reach("loan.as_of", loan.as_of, known_until), tables)


@dataclass(frozen=True)
class Reach:
    """The moment `until` which a setting requires complete tables: its `value` less the feature `lag`."""

    setting: str
    value: str
    until: datetime
    lag: timedelta = timedelta(0)


def check_reach(lake: Path, reach: Reach, tables: Mapping[str, Any]) -> None:
    """Raise DataError where a setting requires complete tables more than TOLERANCE after their latest event.

    Without instalments the longest pause between two orders is tolerated too.
    """
    latest, column = max(
        (datetime.fromisoformat(moment), f"{column} of {name}")
        for name, table in tables.items()
        for column, moment in table["latest"].items()
    )
    tolerance = TOLERANCE if tables["instalments"]["rows"] else max(TOLERANCE, _longest_pause(lake))
    if reach.until > latest + tolerance:
        raise DataError(_too_late(reach, f"the latest event is from {latest:%Y-%m-%d} ({column})", latest, tolerance))
    paid = tables["instalments"]["latest"].get("paid_at")
    if paid is not None:
        _check_payments(lake, reach, datetime.fromisoformat(paid))


def _longest_pause(lake: Path) -> timedelta:
    """Return the longest time without an order, in whole days."""
    orders = pds.dataset(lake / CLEAN / "orders").to_table(["ordered_at"])["ordered_at"]
    days = np.sort(pc.unique(orders.cast(pa.date32(), safe=False)).to_numpy(zero_copy_only=False))
    return timedelta(days=int(np.diff(days).max().astype(int))) if len(days) > 1 else TOLERANCE


def _check_payments(lake: Path, reach: Reach, paid: datetime) -> None:
    if reach.until <= paid + TOLERANCE:
        return
    due, ends = pc.field("due_at"), [pa.scalar(moment, pa.timestamp("us")) for moment in (paid, reach.until)]
    rows = pds.dataset(lake / CLEAN / "instalments").count_rows(filter=(due > ends[0]) & (due < ends[1]))
    if rows > MOST_UNPAID:
        raise DataError(
            _too_late(
                reach,
                f"the last payment is from {paid:%Y-%m-%d} and {rows:,} instalments fell due since",
                paid,
                TOLERANCE,
            )
        )


def _too_late(reach: Reach, evidence: str, latest: datetime, tolerance: timedelta) -> str:
    lagged = f" and the feature lag of {reach.lag.days} days" if reach.lag else ""
    return (
        f"{reach.setting}={reach.value} is more than {tolerance.days} days{lagged} after the end of the tables "
        f"({evidence}), so that later orders and payments would be missing; "
        f"use {reach.setting}={(latest + reach.lag + timedelta(days=1)):%Y-%m-%d} or provide later tables"
    )
