"""How far an extract reaches: an as-of date beyond it would take what was not delivered for what did not happen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds

from pipelines.credit.loan import LoanContract
from pipelines.errors import DataError
from pipelines.marketplace.buckets import CLEAN

TOLERANCE = timedelta(days=7)
"""How long nothing may have happened: a small shop has quiet days, and a week without payments turns few loans bad."""

MOST_UNPAID = 20
"""So many instalments do not fall due in a row with not one of them paid, unless the payments were not delivered."""


def check_as_of(lake: Path, loan: LoanContract, tables: Mapping[str, Any]) -> None:
    """Raise DataError where the clean tables cannot know what the as-of date says that they know.

    `tables` are the intake's, each with the latest moment of its columns. The date must lie after the first
    application, at most TOLERANCE after the latest event of any table, and no more than that after the last payment
    when instalments went on falling due.
    """
    first = pc.min(pds.dataset(lake / CLEAN / "applications").to_table(["applied_at"])["applied_at"]).as_py()
    known_until: datetime = loan.known_until.astype(object)
    if first is None or first > known_until:
        raise DataError(
            f"loan.as_of must lie after the first application, received {loan.as_of} (first application {first}); "
            "raise loan.as_of or correct the times of the applications"
        )
    check_reach(lake, Reach("loan.as_of", loan.as_of, known_until), tables)


@dataclass(frozen=True)
class Reach:
    """Up to when a setting takes the tables to know all; `received` is its value, `lag` how much earlier that is."""

    setting: str
    received: str
    until: datetime
    lag: timedelta = timedelta(0)


def check_reach(lake: Path, reach: Reach, tables: Mapping[str, Any]) -> None:
    """Raise DataError where a moment lies further than TOLERANCE after what the clean tables know of."""
    latest, told = max(
        (datetime.fromisoformat(moment), f"{column} of {name}")
        for name, table in tables.items()
        for column, moment in table["latest"].items()
    )
    if reach.until > latest + TOLERANCE:
        raise DataError(_too_late(reach, f"the latest event is of {latest:%Y-%m-%d} ({told})", latest))
    paid = tables["instalments"]["latest"].get("paid_at")
    if paid is not None:
        _check_payments(lake, reach, datetime.fromisoformat(paid))


def _check_payments(lake: Path, reach: Reach, paid: datetime) -> None:
    if reach.until <= paid + TOLERANCE:
        return
    due, ends = pc.field("due_at"), [pa.scalar(moment, pa.timestamp("us")) for moment in (paid, reach.until)]
    rows = pds.dataset(lake / CLEAN / "instalments").count_rows(filter=(due > ends[0]) & (due < ends[1]))
    if rows > MOST_UNPAID:
        raise DataError(
            _too_late(reach, f"the last payment is of {paid:%Y-%m-%d} and {rows:,} instalments fell due since", paid)
        )


def _too_late(reach: Reach, known: str, latest: datetime) -> str:
    lagged = f" and the feature lag of {reach.lag.days} days" if reach.lag else ""
    return (
        f"{reach.setting} must not lie more than {TOLERANCE.days} days{lagged} after what the tables know, or what was "
        f"paid later would count as unpaid; received {reach.received}, {known}; "
        f"use {reach.setting}={(latest + reach.lag + timedelta(days=1)):%Y-%m-%d} or bring later tables"
    )
