"""Tables are mapped in the configuration: renames, constants, values, units, and a SELECT over the raw files."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.errors import ConfigurationError
from pipelines.marketplace.intake import BOOK_TABLES, Intake, run_intake
from pipelines.marketplace.settings import TableMapping, TableMappings
from tests.pipelines.marketplace.shop import (
    BUCKETS,
    a_shop,
    assert_stops,
    clean,
    days,
    intake_of,
    lay,
    quarantined,
    settings,
    taken_in,
    with_cell,
    with_column,
)


def mapped(**tables: Any) -> TableMappings:
    return TableMappings(**{name: TableMapping(**how) for name, how in tables.items()})


def lender(tmp_path: Path, suffix: str = ".csv") -> Path:
    """Write a lender's files: statuses 0 and 1, no term, paybacks of several rows, days first."""
    shop = a_shop()
    loans = shop["applications"]
    status = [int(one == "approved") for one in loans["decision"].to_pylist()]
    first = [f"{moment:%d/%m/%y %H:%M}" for moment in loans["applied_at"].to_pylist()]
    loans = loans.drop_columns(["decision", "term", "applied_at"])
    loans = loans.append_column("status", pa.array(status)).append_column("asked_for", pa.array(first))
    return lay({**shop, "applications": loans}, tmp_path / "raw", suffix)


LENDER = {
    "columns": {
        "decision": {"from": "status", "map": {0: "declined", 1: "approved"}},
        "term": {"value": 3},
        "applied_at": {"from": "asked_for", "format": "%d/%m/%y %H:%M"},
    }
}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_constants_values_and_formats_make_the_tables_of_the_contract(suffix: str, tmp_path: Path) -> None:
    raw = settings(lender(tmp_path, suffix), tables=mapped(applications=LENDER))
    taken = taken_in(raw, tmp_path / "lake" / "own").tables
    assert {name: table.quarantined for name, table in taken.items()} == {name: {} for name in taken}
    intake_of(a_shop(), tmp_path / "usual")
    columns = ["application_id", "applied_at", "term", "decision"]
    assert clean(tmp_path, "applications").select(columns) == clean(tmp_path / "usual", "applications").select(columns)


def test_the_quarantine_has_the_values_as_written(tmp_path: Path) -> None:
    shop = with_column(a_shop(), "applications", "status", pa.array([1] * 10 + [7] + [1] * 9))
    how = {"columns": {"decision": {"from": "status", "map": {0: "declined", 1: "approved"}}}}
    taken_in(settings(lay(shop, tmp_path / "raw"), tables=mapped(applications=how)), tmp_path / "lake" / "own")
    rows = quarantined(tmp_path, "applications").to_pylist()
    assert [row["decision"] for row in rows if row["broken_rule"].startswith("decision is neither")] == [7]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"form": "x"}, "columns.term has an unknown key 'form'; did you mean .*from"),
        ({"value": 3, "map": {1: 3}}, "columns.term has value and map, which exclude each other"),
        ({"from": "x", "value": 3}, "columns.term is a constant; write"),
        ({"from": "term", "unit": "weeks"}, "has the unit 'weeks', and the column takes no unit"),
        ({"from": "term", "format": "%d"}, "has a format, which only columns of times take"),
        (7, r"columns.term is 7; write a column's name or \{value: 7\}"),
    ],
)
def test_a_mapping_that_a_column_cannot_have_is_refused(declared: Any, message: str, tmp_path: Path) -> None:
    raw = settings(lay(a_shop(), tmp_path / "raw"), tables=mapped(applications={"columns": {"term": declared}}))
    with pytest.raises(ConfigurationError, match=message):
        taken_in(raw, tmp_path / "lake" / "own")


def test_all_missing_columns_are_named_at_once(tmp_path: Path) -> None:
    shop = a_shop()
    shop["orders"] = shop["orders"].drop_columns(["amount", "ordered_at"])
    shop["customers"] = shop["customers"].drop_columns(["registered_at"])
    message = "customers has no column registered_at; .*orders has no column ordered_at; .*orders has no column amount"
    assert_stops(settings(lay(shop, tmp_path / "raw")), tmp_path, message)


SELECT = """
    with paybacks as (
        select loan, number, max(paid_on::timestamp) as paid_at, sum(minor::bigint) as paid from payments group by all
    )
    select dues.*, paid_at, coalesce(paid, 0) as paid_amount
    from schedule as dues left join paybacks on loan = application_id and paybacks.number = dues.number
"""


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("in_a_file", [False, True])
def test_a_select_makes_a_table_of_several_files(suffix: str, in_a_file: bool, tmp_path: Path) -> None:
    """Each instalment is paid in two halves."""
    shop = a_shop()
    dues = shop.pop("instalments")
    halves = pa.table(
        {"loan": dues["application_id"], "number": dues["number"], "paid_on": dues["paid_at"], "minor": [500] * 48}
    )
    files = {"schedule": dues.drop_columns(["paid_at", "paid_amount"]), "payments": pa.concat_tables([halves, halves])}
    folder = lay({**shop, **files}, tmp_path / "raw", suffix)
    (folder / "instalments.sql").write_text(SELECT)
    how = {"sql": "instalments.sql" if in_a_file else SELECT}
    raw = settings(folder, tables=mapped(instalments=how))
    taken = taken_in(raw, tmp_path / "lake" / "own").tables["instalments"]
    assert (taken.rows, taken.clean) == (48, 48)
    assert clean(tmp_path, "instalments")["paid_amount"].to_pylist() == [1000] * 48


OUTSIDE = "reads something other than the files of raw.folder"
ONE_SELECT = "must be one SELECT statement, found"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("copy orders to '{out}'", f"{ONE_SELECT} COPY"),
        ("attach '{out}'", "reads none of the files|found ATTACH"),
        ("attach '{out}' as orders", f"{ONE_SELECT} ATTACH"),
        ("create table orders as select 1", f"{ONE_SELECT} CREATE"),
        ("select * from orders; drop view orders", f"{ONE_SELECT} SELECT, DROP"),
        ("set enable_external_access = true; select * from orders", f"{ONE_SELECT} SET, SELECT"),
        ("select * from orders, read_csv('http://localhost:1/a.csv')", OUTSIDE),
        ("select * from orders, 'https://localhost:1/a.parquet'", OUTSIDE),
        ("select * from orders, read_parquet('{secret}')", OUTSIDE),
        ("select * from orders, '{secret}'", OUTSIDE),
        ("select * from orders, read_text('{secret}')", OUTSIDE),
        ("select * from orders, read_parquet('{folder}/../secret.parquet')", OUTSIDE),
        ("select * from orders, glob('{folder}/*')", OUTSIDE),
        ("selct * from orders", "raw.tables.orders.sql is not SQL"),
        ("select amont from orders", "raw.tables.orders.sql failed: .*amont.*; it can read orders"),
        ("select *, amount from orders", "has two columns 'amount'; rename one with AS"),
        ("select 1 as order_id", "reads none of the files in .*: applications, customers, instalments, orders"),
        ("select * from orders where amount < 0", "orders has no rows"),
    ],
)
def test_a_select_reads_the_raw_files_and_nothing_else(sql: str, message: str, tmp_path: Path) -> None:
    folder = lay(a_shop(), tmp_path / "raw")
    lay({"secret": pa.table({"a": [1]})}, tmp_path)
    out = tmp_path / "orders.out"
    filled = sql.format(out=out, secret=tmp_path / "secret.parquet", folder=folder)
    before = sorted(folder.iterdir())
    assert_stops(settings(folder, tables=mapped(orders={"sql": filled})), tmp_path, message)
    assert not out.exists()
    assert sorted(folder.iterdir()) == before


def test_path_and_select_exclude_each_other(tmp_path: Path) -> None:
    how = {"sql": "from orders", "path": "orders.parquet"}
    raw = settings(lay(a_shop(), tmp_path / "raw"), tables=mapped(orders=how))
    assert_stops(raw, tmp_path, "raw.tables.orders has both path and sql; keep one")


def repeated(table: pa.Table, rows: int = 5) -> pa.Table:
    return pa.concat_tables([table, table.slice(0, rows)])


@pytest.mark.parametrize("table", ["customers", "orders", "applications", "instalments"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_equal_rows_count_once(table: str, suffix: str, tmp_path: Path) -> None:
    shop = a_shop()
    raw = settings(lay({**shop, table: repeated(shop[table])}, tmp_path / "raw", suffix))
    taken = taken_in(raw, tmp_path / "lake" / "own").tables
    assert (taken[table].rows, taken[table].clean, taken[table].copies) == (len(shop[table]) + 5, len(shop[table]), 5)
    assert {name: one.quarantined for name, one in taken.items()} == {name: {} for name in taken}
    assert clean(tmp_path, table).num_rows == len(shop[table])


def test_unequal_rows_of_a_key_are_quarantined_with_their_copies_counted_once(tmp_path: Path) -> None:
    """Order 100 is delivered three times, once with another amount; order 101 twice alike."""
    shop = a_shop()
    other = with_cell(shop, "orders", "amount", 0, 9)["orders"].slice(0, 1)
    shop["orders"] = pa.concat_tables([shop["orders"], shop["orders"].slice(0, 2), other])
    taken = intake_of(shop, tmp_path).tables["orders"]
    assert (taken.rows, taken.copies, taken.quarantined, taken.clean) == (43, 2, {"order_id repeats": 2}, 39)
    assert sorted(quarantined(tmp_path, "orders")["amount"].to_pylist()) == [9, 1000]


def book_intake(folder: Path, tmp_path: Path) -> Intake:
    into = tmp_path / "lake" / "own"
    return run_intake(settings(folder), into, buckets=BUCKETS, threads=2, memory_limit="1GB", required=BOOK_TABLES)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_book_needs_customers_and_orders_alone(suffix: str, tmp_path: Path) -> None:
    shop = {name: table for name, table in a_shop().items() if name in BOOK_TABLES}
    taken = book_intake(lay(shop, tmp_path / "raw", suffix), tmp_path).tables
    assert {name: table.clean for name, table in taken.items()} == {
        "customers": 12,
        "orders": 40,
        "applications": 0,
        "instalments": 0,
    }
    assert clean(tmp_path, "applications").schema.field("applied_at").type == pa.timestamp("us")


def test_a_book_takes_loans_without_instalments_and_no_instalments_without_loans(tmp_path: Path) -> None:
    shop = a_shop()
    schedules = shop.pop("instalments")
    taken = book_intake(lay(shop, tmp_path / "raw"), tmp_path).tables
    assert (taken["applications"].clean, taken["applications"].quarantined) == (20, {})
    del shop["applications"]
    other = tmp_path / "other"
    taken = book_intake(lay({**shop, "instalments": schedules}, other / "raw"), other).tables
    assert (taken["instalments"].rows, taken["instalments"].clean) == (0, 0)


def test_a_training_table_needs_all(tmp_path: Path) -> None:
    shop = {name: table for name, table in a_shop().items() if name in BOOK_TABLES}
    assert_stops(settings(lay(shop, tmp_path / "raw")), tmp_path, "table applications does not exist")


def test_text_times_that_are_not_iso_are_refused_with_the_format_to_declare(tmp_path: Path) -> None:
    day_first = pa.array([f"{number % 27 + 1}/6/19 10:00:00" for number in range(40)])
    shop = with_column(a_shop(), "orders", "ordered_at", day_first)
    message = r"every ordered_at is not a time .*first ordered_at '1/6/19 10:00:00'.*declare their format: "
    assert_stops(settings(lay(shop, tmp_path / "raw", ".csv")), tmp_path, message)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("year", [9999, 2999, 2201, 1899, 19])
def test_years_out_of_range_are_refused_or_declared_as_never(year: int, suffix: str, tmp_path: Path) -> None:
    moment = days(0)[0].as_py().replace(year=year, month=12, day=31)
    shop = with_cell(a_shop(), "orders", "returned_at", 3, moment)
    folder = lay(shop, tmp_path / "raw", suffix)
    message = (
        rf"returned_at is not between the years 1900 and 2200 in 1 rows of orders \(first returned_at .*{year}-12-31"
    )
    assert_stops(settings(folder), tmp_path, message)
    taken = taken_in(settings(folder, never=[f"{year:04d}-12-31"]), tmp_path / "lake" / "own").tables["orders"]
    assert (taken.clean, taken.quarantined) == (40, {})
    assert clean(tmp_path, "orders")["returned_at"].to_pylist()[3] is None


@pytest.mark.parametrize("year", [2027, 2150])
def test_one_time_years_after_all_others_is_refused_or_declared_as_never(year: int, tmp_path: Path) -> None:
    shop = with_cell(a_shop(), "instalments", "paid_at", 5, datetime(year, 6, 1))
    folder = lay(shop, tmp_path / "raw")
    message = rf"paid_at of instalments is in {year}-06, \d+ months after every earlier time of the tables \(1 rows\)"
    assert_stops(settings(folder), tmp_path, message)
    shop = with_cell(shop, "instalments", "paid_amount", 5, 0)
    raw = settings(lay(shop, tmp_path / "raw"), never=[f"{year}-06"])
    taken = taken_in(raw, tmp_path / "lake" / "own").tables["instalments"]
    assert (taken.clean, taken.quarantined) == (48, {})


def test_a_second_period_after_a_long_pause_is_no_error(tmp_path: Path) -> None:
    shop = a_shop()
    later = pa.array([datetime(2027, 1, 1)] * 10 + shop["orders"]["ordered_at"].to_pylist()[10:], pa.timestamp("us"))
    shop = with_column(
        with_column(shop, "orders", "ordered_at", later), "orders", "returned_at", pa.nulls(40, later.type)
    )
    assert intake_of(shop, tmp_path).tables["orders"].clean == 40
