"""Broken rows: each is set aside as it was written, with the first rule that it broke, and takes its loan along."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.errors import DataError
from pipelines.marketplace.rules import RULE
from tests.pipelines.marketplace.shop import (
    START,
    Tables,
    a_shop,
    clean,
    days,
    intake_of,
    quarantined,
    with_cell,
    with_column,
)

LONG_AGO = datetime(2019, 6, 1)
LOAN = "the application or another of its instalments is in quarantine"
BROKEN_LOAN = "an instalment of the application is in quarantine"
NO_CUSTOMER = "customer_id is not in the clean customers"
NO_APPLICATION = "application_id is not in the clean applications"


def floats(tables: Tables, table: str, column: str) -> Tables:
    return with_column(tables, table, column, tables[table][column].cast(pa.float64()).combine_chunks())


@pytest.mark.parametrize(
    ("table", "column", "value", "rule"),
    [
        ("customers", "registered_at", None, "registered_at is missing"),
        ("customers", "birth_year", 1899, "birth_year is not between 1900 and 2100"),
        ("orders", "order_id", None, "order_id is missing"),
        ("orders", "order_id", 101, "order_id repeats"),
        ("orders", "customer_id", None, "customer_id is missing"),
        ("orders", "customer_id", 999, NO_CUSTOMER),
        ("orders", "ordered_at", None, "ordered_at is missing"),
        ("orders", "amount", None, "amount is missing"),
        ("orders", "amount", -1, "amount is negative"),
        ("orders", "amount", 1_000_000_001, "amount is above 1,000,000,000 minor units"),
        ("orders", "discount", -1, "discount is negative"),
        ("orders", "returned_at", LONG_AGO, "returned_at is before ordered_at"),
        ("applications", "customer_id", 999, NO_CUSTOMER),
        ("applications", "principal", 0, "principal is not above 0"),
        ("applications", "term", -3, "term is not one of 3, 6, 12, 24 months"),
        ("applications", "term", 4, "term is not one of 3, 6, 12, 24 months"),
        ("applications", "decision", "perhaps", "decision is neither approved nor declined"),
        ("applications", "decision", "declined", "a declined application was disbursed"),
        ("applications", "price", float("inf"), "price is infinite"),
        ("applications", "price", float("-inf"), "price is infinite"),
        ("applications", "disbursed_at", LONG_AGO, "disbursed_at is before applied_at"),
        ("instalments", "application_id", "A99", NO_APPLICATION),
        ("instalments", "number", 0, "number is not between 1 and 24"),
        ("instalments", "number", 1, "application_id and number repeat"),
        ("instalments", "due_at", datetime(2030, 1, 1), "paid_at is more than 25 months before due_at"),
        ("instalments", "due_amount", 0, "due_amount is not above 0"),
        ("instalments", "paid_at", None, "paid_at is missing although paid_amount is above 0"),
        ("instalments", "paid_at", datetime(2024, 4, 1), "paid_at is before applied_at"),
        ("instalments", "paid_at", LONG_AGO, "paid_at is more than 25 months before due_at"),
        ("instalments", "paid_amount", None, "paid_amount is missing"),
        ("instalments", "paid_amount", -5, "paid_amount is negative"),
    ],
)
def test_a_broken_row_is_set_aside_with_its_rule_and_as_it_was(
    table: str, column: str, value: Any, rule: str, tmp_path: Path
) -> None:
    """Row 2: the third customer, order, application (approved), and the last instalment of the second application."""
    shop = with_cell(a_shop(), table, column, 2, value)
    taken = intake_of(shop, tmp_path).tables[table]
    told = quarantined(tmp_path, table).to_pylist()
    broken = [row for row in told if row[RULE] == rule]
    assert taken.quarantined[rule] == len(broken) == (2 if "repeat" in rule else 1)
    assert shop[table].slice(2, 1).to_pylist()[0] in [
        {name: cell for name, cell in row.items() if name != RULE} for row in broken
    ]
    assert {row[RULE] for row in told} <= {rule, LOAN}
    assert taken.rows == taken.clean + sum(taken.quarantined.values()) == shop[table].num_rows
    assert clean(tmp_path, table).num_rows == taken.clean


def test_the_first_broken_rule_is_told(tmp_path: Path) -> None:
    shop = with_cell(with_cell(a_shop(), "orders", "amount", 2, -1), "orders", "customer_id", 2, None)
    assert intake_of(shop, tmp_path).tables["orders"].quarantined == {"customer_id is missing": 1}


def test_missing_numbers_of_a_data_frame_are_missing_not_infinite(tmp_path: Path) -> None:
    """Not-a-number in a float column of whole numbers is how a data frame says nothing."""
    shop = floats(floats(a_shop(), "orders", "discount"), "orders", "order_id")
    shop = with_cell(with_cell(shop, "orders", "discount", 2, float("nan")), "orders", "order_id", 5, float("nan"))
    taken = intake_of(shop, tmp_path).tables["orders"]
    assert taken.quarantined == {"order_id is missing": 1}
    assert clean(tmp_path, "orders")["discount"].to_pylist()[2] is None


def test_a_broken_customer_takes_orders_and_loans_along(tmp_path: Path) -> None:
    """Customer 1 has orders 1, 13, 25, 37, the applications 1 and 13, and so six instalments."""
    taken = intake_of(with_cell(a_shop(), "customers", "birth_year", 1, 1492), tmp_path).tables
    assert taken["orders"].quarantined == {NO_CUSTOMER: 4}
    assert taken["applications"].quarantined == {NO_CUSTOMER: 2}
    assert taken["instalments"].quarantined == {NO_APPLICATION: 6}


def test_a_broken_instalment_takes_its_loan_along(tmp_path: Path) -> None:
    """Row 2 is the third instalment of application A01."""
    taken = intake_of(with_cell(a_shop(), "instalments", "due_amount", 2, -1), tmp_path).tables
    assert taken["instalments"].quarantined == {LOAN: 2, "due_amount is not above 0": 1}
    assert taken["applications"].quarantined == {BROKEN_LOAN: 1}
    assert quarantined(tmp_path, "applications")["application_id"].to_pylist() == ["A01"]
    assert "A01" not in clean(tmp_path, "instalments")["application_id"].to_pylist()


def test_an_application_that_was_disbursed_has_instalments(tmp_path: Path) -> None:
    """A00, A05, ... were declined, and an approved one may wait for its disbursement: they need none."""
    shop = a_shop()
    waiting = with_cell(shop, "applications", "disbursed_at", 1, None)
    fewer = waiting | {"instalments": shop["instalments"].slice(6)}  # those of A01 and A02 are gone
    taken = intake_of(fewer, tmp_path).tables
    assert taken["applications"].quarantined == {"application was disbursed and has no instalments": 1}
    assert quarantined(tmp_path, "applications")["application_id"].to_pylist() == ["A02"]
    assert not taken["instalments"].quarantined


def test_every_row_of_a_repeated_key_is_set_aside(tmp_path: Path) -> None:
    shop = a_shop()
    other = with_cell(shop, "applications", "principal", 1, 2999)["applications"].slice(1, 1)
    twice = shop | {"applications": pa.concat_tables([shop["applications"], other])}
    taken = intake_of(twice, tmp_path).tables
    assert taken["applications"].quarantined == {"application_id repeats": 2}
    assert taken["instalments"].quarantined == {NO_APPLICATION: 3}


def test_identifiers_of_nothing_are_missing_not_repeated(tmp_path: Path) -> None:
    shop = with_cell(with_cell(a_shop(), "orders", "order_id", 3, None), "orders", "order_id", 4, None)
    assert intake_of(shop, tmp_path).tables["orders"].quarantined == {"order_id is missing": 2}


def test_paid_before_due_by_two_years_is_early_not_wrong(tmp_path: Path) -> None:
    shop = a_shop()
    later = [*shop["instalments"]["due_at"].to_pylist()]
    later[0] = datetime(2026, 5, 1)  # paid on day 131 of 2024
    shop = with_column(shop, "instalments", "due_at", pa.array(later, days().type))
    assert later[0].year - START.year == 2
    assert not intake_of(shop, tmp_path).tables["instalments"].quarantined


@pytest.mark.parametrize(
    ("broken", "limit", "stops"),
    [(4, 0.1, False), (5, 0.1, True), (0, 0.0, False), (1, 0.0, True), (40, 1.0, False)],
)
def test_the_share_that_may_be_broken_is_exact(broken: int, limit: float, stops: bool, tmp_path: Path) -> None:
    amounts = pa.array([-1] * broken + [1] * (40 - broken), pa.int64())
    shop = with_column(a_shop(), "orders", "amount", amounts)
    if not stops:
        assert intake_of(shop, tmp_path, max_quarantined=limit).tables["orders"].clean == 40 - broken
        return
    message = (
        rf"{broken} of 40 rows of orders break the contract, more than the {limit:.0%} .* allows; most often: amount "
        rf"is negative \({broken} rows?, first amount '-1' of order_id 100\); correct the files or the mapping in "
        r"raw.tables.orders, or raise raw.max_quarantined"
    )
    with pytest.raises(DataError, match=message):
        intake_of(shop, tmp_path, max_quarantined=limit)
    assert not list((tmp_path / "lake").rglob("*"))


def test_rows_that_fall_with_others_count_too(tmp_path: Path) -> None:
    """One customer of twelve is under a tenth, but it places 4 orders of 40 and 2 of 20 applications."""
    shop = with_cell(a_shop(), "customers", "birth_year", 1, 1492)
    with pytest.raises(DataError, match=r"rows of orders break .* most often: customer_id is not in the clean"):
        intake_of(shop, tmp_path, max_quarantined=0.09)
    with pytest.raises(DataError, match=r"6 of 48 rows of instalments break .* most often: application_id is not"):
        intake_of(shop, tmp_path, max_quarantined=0.1)
