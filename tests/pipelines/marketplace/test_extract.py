"""An as-of date that the tables cannot know is refused: what was not delivered is not what did not happen."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.credit.loan import DEFINITIONS, LoanContract
from pipelines.errors import DataError
from pipelines.marketplace.extract import check_as_of
from tests.pipelines.marketplace.shop import ORDERS, TIME, Tables, a_shop, intake_of, with_cell, with_column

LAST_PAYMENT = "2024-07-28"


def check(tables: Tables, as_of: str, tmp_path: Path) -> None:
    intake = intake_of(tables, tmp_path)
    told: dict[str, Any] = {name: vars(table) for name, table in intake.tables.items()}
    check_as_of(tmp_path / "lake" / "own", LoanContract(DEFINITIONS["dpd30_at_3_mob"], as_of), told)


@pytest.mark.parametrize("as_of", ["2024-07-01", LAST_PAYMENT, "2024-08-04", "2024-08-04T11:59"])
def test_a_date_up_to_a_week_after_the_latest_event_is_taken(as_of: str, tmp_path: Path) -> None:
    check(a_shop(), as_of, tmp_path)


@pytest.mark.parametrize("as_of", ["2024-08-05", "2024-08-04T12:01", "2025-06-30"])
def test_a_later_date_is_refused_with_the_latest_event_and_a_date_that_is_known(as_of: str, tmp_path: Path) -> None:
    message = rf"={as_of} is more .*latest event is from {LAST_PAYMENT} \(paid_at of instalments\)\).*=2024-07-29 or"
    with pytest.raises(DataError, match=message):
        check(a_shop(), as_of, tmp_path)


def test_orders_that_go_on_do_not_speak_for_payments_that_stopped(tmp_path: Path) -> None:
    shop = with_cell(a_shop(), "orders", "ordered_at", ORDERS - 1, datetime(2024, 12, 30))
    check(shop, "2024-12-31", tmp_path)  # no instalment fell due after the last payment
    paid = [one if one < datetime(2024, 5, 20) else None for one in shop["instalments"]["paid_at"].to_pylist()]
    amounts = [1000 if one else 0 for one in paid]
    stopped = with_column(shop, "instalments", "paid_at", pa.array(paid, TIME))
    stopped = with_column(stopped, "instalments", "paid_amount", pa.array(amounts, pa.int64()))
    told = (  # of 16 loans the first instalments of nine fall due after day 139, and all second and third ones
        r"=2024-12-31 is .*the last payment is from 2024-05-19 and 41 instalments fell due since\).*use .*=2024-05-20"
    )
    with pytest.raises(DataError, match=told):
        check(stopped, "2024-12-31", tmp_path / "stopped")
    check(stopped, "2024-05-26", tmp_path / "stopped")
