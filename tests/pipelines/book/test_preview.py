"""`thinfile prepare check=true` shows the mapped tables and what is wrong with them, and writes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.conftest import Answer
from tests.pipelines.marketplace.shop import a_shop, lay, with_cell, with_column

pytestmark = pytest.mark.integration

Check = Callable[..., Answer]


@pytest.fixture
def check(thinfile: Callable[..., Answer], tmp_path: Path) -> Check:
    """Return the preview of tables that are written as CSV."""

    def run(tables: dict[str, pa.Table], *words: str) -> Answer:
        folder = lay(tables, tmp_path / "raw", ".csv")
        return thinfile("prepare", "check=true", f"raw.folder={folder}", *words)

    return run


def preview_of(answer: Answer, table: str) -> dict[str, Any]:
    return next(one for one in answer.json["tables"] if one["table"] == table)


def test_columns_have_source_type_range_and_missing_share(check: Check) -> None:
    shop = with_column(a_shop(), "applications", "months", pa.array([3] * 20)).copy()
    shop["applications"] = shop["applications"].drop_columns(["term", "price"])
    mapping = "raw.tables.applications.columns={term: months, price: {value: 0.5}}"
    answer = check(shop, mapping, "output=json")
    columns = {one["name"]: one for one in preview_of(answer, "applications")["columns"]}
    assert columns["term"] == {
        "name": "term", "source": "months", "type": "VARCHAR", "missing": 0.0, "lowest": "3", "highest": "3"
    }  # fmt: skip
    assert columns["price"]["source"] == "constant 0.5"
    assert columns["disbursed_at"]["missing"] == 0.2
    assert (columns["disbursed_at"]["lowest"], columns["applied_at"]["highest"]) == (
        "2024-04-12 12:00:00",
        "2024-04-29 12:00:00",
    )
    assert [row["application_id"] for row in preview_of(answer, "applications")["first_rows"]] == ["A00", "A01", "A02"]
    assert (answer.json["ready"], answer.exit_code) == (True, 0)


def test_broken_rules_and_counts_are_shown_and_the_answer_is_no(check: Check) -> None:
    """Five broken orders of 42, two of which are copies, exceed the share of 10%."""
    shop = a_shop()
    for row in range(5):
        shop = with_cell(shop, "orders", "amount", row, -1)
    shop["orders"] = pa.concat_tables([shop["orders"], shop["orders"].slice(20, 2)])
    answer = check(shop, "output=json")
    orders = preview_of(answer, "orders")
    assert (orders["rows"], orders["clean"], orders["copies"]) == (42, 35, 2)
    assert orders["broken"] == [{"rule": "amount is negative", "rows": 5, "example": "amount '-1' of order_id 100"}]
    assert answer.exit_code == 3
    assert ["5 of 42 rows of orders break the contract" in one for one in answer.json["refusals"]] == [True]


def test_the_summary_is_in_lines(check: Check) -> None:
    text = check(a_shop()).stdout
    assert "orders: 40 rows = 40 clean + 0 quarantined + 0 equal copies" in text
    assert "  amount             from amount (VARCHAR): 1000 to 1039" in text
    assert text.rstrip().endswith("READY: nothing was written; run the command without check=true")


def test_unreadable_times_are_shown_and_the_answer_is_no(check: Check) -> None:
    answer = check(with_column(a_shop(), "orders", "ordered_at", "6/1/19"), "output=json")
    assert preview_of(answer, "orders")["broken"][0]["rule"].startswith("ordered_at is not a time")
    assert answer.exit_code == 3


def test_missing_columns_of_all_tables_are_named_at_once(check: Check) -> None:
    shop = a_shop()
    shop["customers"] = shop["customers"].drop_columns(["registered_at"])
    shop["instalments"] = shop["instalments"].drop_columns(["due_at", "number"])
    answer = check(shop)
    assert answer.exit_code == 2
    for column in ("customers has no column registered_at", "instalments has no column number", "no column due_at"):
        assert column in answer.stderr


def test_nothing_is_written(check: Check, tmp_path: Path) -> None:
    check(a_shop(), f"workspace={tmp_path / 'nowhere'}")
    assert not (tmp_path / "nowhere").exists()
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == [
        "applications.csv",
        "customers.csv",
        "instalments.csv",
        "orders.csv",
    ]


def test_a_book_is_checked_without_loans(check: Check) -> None:
    shop = {name: table for name, table in a_shop().items() if name in ("customers", "orders")}
    answer = check(shop, "population=book", "output=json")
    assert [one["table"] for one in answer.json["tables"]] == ["customers", "orders"]


def test_applications_of_your_own_are_checked_too(check: Check, tmp_path: Path) -> None:
    shop = {name: table for name, table in a_shop().items() if name in ("customers", "orders")}
    own = pa.table({"client": [1, 2, None], "day": ["01.02.2024", "02.02.2024", "03.02.2024"], "bad": [0, 1, 0]})
    lay({"own": own}, tmp_path, ".csv")
    columns = '{customer_id: client, applied_at: {from: day, format: "%d.%m.%Y"}}'
    words = [
        f"raw.tables.own_applications.path={tmp_path / 'own.csv'}",
        f"raw.tables.own_applications.columns={columns}",
    ]
    answer = check(shop, *words, "output=json")
    preview = preview_of(answer, "own_applications")
    assert [one["name"] for one in preview["columns"]] == ["customer_id", "applied_at"]
    assert (preview["rows"], preview["clean"]) == (3, 2)
    assert [one["rule"] for one in preview["broken"]] == ["customer_id is missing"]
    assert answer.exit_code == 3  # a third of the rows
