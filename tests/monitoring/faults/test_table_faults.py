"""Faults of orders and applications in the month that they begin, on small tables of known content."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitoring.faults.column_gone import COLUMN_GONE
from monitoring.faults.outside_reference import OUTSIDE_REFERENCE
from monitoring.faults.table_faults import TableFindings, table_findings
from monitoring.faults.unit_changed import UNIT_CHANGED

MONTHS = [f"2025-{month:02d}" for month in range(1, 13)]
NOW, NEXT = "2026-01", "2026-02"


def lake(folder: Path, *, empty: bool = False, major: bool = False, code: bool = False, new: bool = False) -> Path:
    """Write orders of fourteen months in two buckets; from NOW on they have a fault: empty, in major units, or a code;
    or a `new` payment method.

    Amounts grow by 2% a month, and cards take over from cash: people change too.
    """
    generator = np.random.default_rng(0)
    for bucket in range(2):
        parts = []
        for number, month in enumerate([*MONTHS, NOW, NEXT]):
            days = np.timedelta64(1, "D") * generator.integers(0, 28, 400)
            table = pd.DataFrame({"ordered_at": np.datetime64(f"{month}-01", "us") + days})
            table["amount"] = (np.exp(generator.normal(8, 1, 400)) * 1.02**number).astype(np.int64)
            table["payment_method"] = np.where(generator.random(400) < 0.5 + 0.01 * number, "card", "cash")
            if month >= NOW and empty:
                table["payment_method"] = None
            if month >= NOW and major:
                table["amount"] //= 100
            if month >= NOW and code:
                table.loc[generator.random(400) < 0.05, "amount"] = -1
            if month >= NOW and new:
                table.loc[generator.random(400) < 0.05, "payment_method"] = "instant"
            parts.append(table)
        place = folder / "clean" / "orders" / f"bucket={bucket}" / "data_0.parquet"
        place.parent.mkdir(parents=True)
        pd.concat(parts).to_parquet(place, index=False)
    return folder


def test_months_in_which_people_change_hold_no_fault(tmp_path: Path) -> None:
    market = lake(tmp_path)
    for periods in ([NOW], [NEXT], [NOW, NEXT]):
        assert table_findings(market, periods) == TableFindings()


@pytest.mark.parametrize(
    ("fault", "kind", "column"),
    [
        ({"empty": True}, COLUMN_GONE, "orders.payment_method"),
        ({"major": True}, UNIT_CHANGED, "orders.amount"),
        ({"code": True}, OUTSIDE_REFERENCE, "orders.amount"),
    ],
)
def test_a_fault_is_found_in_its_first_month_and_as_long_as_it_lasts(
    tmp_path: Path, fault: dict[str, bool], kind: str, column: str
) -> None:
    market = lake(tmp_path, **fault)
    for period in (NOW, NEXT):
        assert [(one.kind, one.column) for one in table_findings(market, [period], MONTHS).faults] == [(kind, column)]
    assert table_findings(market, [MONTHS[-1]]) == TableFindings()


def test_too_few_months_before_say_nothing(tmp_path: Path) -> None:
    market = lake(tmp_path, empty=True)
    assert table_findings(market, [NOW], MONTHS[-2:]) == TableFindings()
    assert table_findings(market, [MONTHS[1]]) == TableFindings()


def test_a_table_that_does_not_reach_the_window_or_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert table_findings(lake(tmp_path), ["2026-03"]) == TableFindings()
    assert table_findings(tmp_path / "nowhere", [NOW]) == TableFindings()


def test_a_new_payment_method_is_named_in_its_first_month(tmp_path: Path) -> None:
    found = table_findings(lake(tmp_path, new=True), [NOW], MONTHS)
    assert found.faults == ()
    assert [(one.cause, one.column, one.name) for one in found.share_changes] == [
        ("level appeared", "orders.payment_method", "instant")
    ]
