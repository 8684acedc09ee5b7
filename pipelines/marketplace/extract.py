"""How far an extract reaches: an as-of date beyond it would take what was not delivered for what did not happen."""

from collections.abc import Mapping
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
    latest, told = max(
        (datetime.fromisoformat(moment), f"{column} of {name}")
        for name, table in tables.items()
        for column, moment in table["latest"].items()
    )
    if known_until > latest + TOLERANCE:
        raise DataError(_too_late(loan, f"the latest event is of {latest:%Y-%m-%d} ({told})", latest))
    paid = tables["instalments"]["latest"].get("paid_at")
    if paid is not None:
        _check_payments(lake, loan, datetime.fromisoformat(paid), known_until)


def _check_payments(lake: Path, loan: LoanContract, paid: datetime, known_until: datetime) -> None:
    if known_until <= paid + TOLERANCE:
        return
    due, ends = pc.field("due_at"), [pa.scalar(moment, pa.timestamp("us")) for moment in (paid, known_until)]
    rows = pds.dataset(lake / CLEAN / "instalments").count_rows(filter=(due > ends[0]) & (due < ends[1]))
    if rows > MOST_UNPAID:
        raise DataError(
            _too_late(loan, f"the last payment is of {paid:%Y-%m-%d} and {rows:,} instalments fell due since", paid)
        )


def _too_late(loan: LoanContract, known: str, until: datetime) -> str:
    return (
        f"loan.as_of must not lie more than {TOLERANCE.days} days after what the tables know, or what was paid later "
        f"would count as unpaid; received {loan.as_of}, {known}; "
        f"use loan.as_of={(until + timedelta(days=1)):%Y-%m-%d} or bring later tables"
    )
