"""A date without a time of day keeps the order of two times unless its whole day is before the other time."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.pipelines.marketplace.shop import APPLICATIONS, ORDERS, a_shop, intake_of, quarantined, with_column

ZONE = "America/Sao_Paulo"
"""Its midnight is at 03:00 UTC."""

FORMS: dict[str, Callable[[date], Any]] = {
    "date": lambda day: day,
    "midnight": lambda day: datetime.combine(day, time()),
    "text": lambda day: day.isoformat(),
    "midnight in text": lambda day: f"{day.isoformat()} 00:00:00",
    "midnight with an offset": lambda day: f"{day.isoformat()}T00:00:00-03:00",
}
ORDERS_OF_TIMES = [
    ("orders", "ordered_at", "returned_at"),
    ("orders", "ordered_at", "cancelled_at"),
    ("applications", "applied_at", "disbursed_at"),
    ("applications", "disbursed_at", "refunded_at"),
    ("applications", "disbursed_at", "written_off_at"),
]


def moments(rows: int, seed: int) -> list[datetime]:
    """Return local times of any hour, the day after the table's other times."""
    minutes = np.random.default_rng(seed).integers(0, 24 * 60, rows).tolist()
    return [datetime(2024, 7, 1) + timedelta(days=row, minutes=minutes[row]) for row in range(rows)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("table", "earlier", "later"), ORDERS_OF_TIMES)
def test_a_date_of_the_same_day_is_not_before_a_time(
    table: str, earlier: str, later: str, form: str, tmp_path: Path
) -> None:
    # given: one row whose date is that of the day before, and others on the same day or the next
    rows = ORDERS if table == "orders" else APPLICATIONS
    known = moments(rows, seed=sum(map(ord, form)))
    shift = [-1 if row == 7 else row % 2 for row in range(rows)]
    dates = [FORMS[form](one.date() + timedelta(days=days)) for one, days in zip(known, shift, strict=True)]
    shop = a_shop()
    for name in ("applied_at", earlier) if table == "applications" else (earlier,):
        shop = with_column(shop, table, name, pa.array(known, pa.timestamp("us")))
    if table == "applications":
        shop = with_column(shop, table, "decision", "approved")
    else:
        shop = with_column(shop, table, "returned_at", pa.nulls(rows, pa.timestamp("us")))
    shop = with_column(shop, table, later, pa.array(dates))
    # when
    intake_of(shop, tmp_path, time_zone=ZONE)
    # then
    broken = [row for row in quarantined(tmp_path, table).to_pylist() if "is before" in row["broken_rule"]]
    assert [row["broken_rule"] for row in broken] == [f"{later} is before {earlier}"]
    assert broken[0][later] == dates[7]


@pytest.mark.parametrize("form", FORMS)
def test_a_payment_on_the_day_of_the_application_is_not_before_it(form: str, tmp_path: Path) -> None:
    # given: each first instalment is paid on the day of the application, one of them the day before
    shop = a_shop()
    applied = dict(zip(shop["applications"]["application_id"].to_pylist(), moments(APPLICATIONS, 5), strict=True))
    shop = with_column(shop, "applications", "applied_at", pa.array(list(applied.values()), pa.timestamp("us")))
    late = [one + timedelta(days=1) for one in applied.values()]
    is_lent = shop["applications"]["disbursed_at"].is_valid().to_pylist()
    lent = [one if is_one else None for one, is_one in zip(late, is_lent, strict=True)]
    shop = with_column(shop, "applications", "disbursed_at", pa.array(lent, pa.timestamp("us")))
    loans = shop["instalments"]["application_id"].to_pylist()
    days = [applied[loan].date() - timedelta(days=row == 4) for row, loan in enumerate(loans)]
    shop = with_column(shop, "instalments", "paid_at", pa.array([FORMS[form](day) for day in days]))
    # when
    taken = intake_of(shop, tmp_path, time_zone=ZONE).tables["instalments"]
    # then
    assert taken.quarantined == {
        "the application or another of its instalments is in quarantine": 2,
        "paid_at is before applied_at": 1,
    }


def test_times_on_both_sides_are_compared_to_the_minute(tmp_path: Path) -> None:
    known = moments(APPLICATIONS, 1)
    shop = with_column(a_shop(), "applications", "applied_at", pa.array(known, pa.timestamp("us")))
    before = [one - timedelta(minutes=1) if row % 5 else None for row, one in enumerate(known)]
    taken = intake_of(with_column(shop, "applications", "disbursed_at", pa.array(before, pa.timestamp("us"))), tmp_path)
    assert taken.tables["applications"].quarantined == {"disbursed_at is before applied_at": APPLICATIONS * 4 // 5}
