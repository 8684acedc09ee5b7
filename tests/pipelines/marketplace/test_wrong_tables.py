"""Tables and settings that no row can save: each one message, and nothing left behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.errors import DataError, ThinfileError
from pipelines.marketplace.intake import run_intake
from pipelines.marketplace.settings import TableMapping, TableMappings
from tests.pipelines.marketplace.shop import (
    TIME,
    Tables,
    a_shop,
    assert_stops,
    days,
    lay,
    settings,
    taken_in,
    with_cell,
    with_column,
)

Change = Callable[[Tables], Tables]
WORDS = pa.array(["much"] * 40)
NO_ZONE = r"and raw.time_zone is not set; add raw.time_zone=UTC or the zone"


def columns(*changes: tuple[str, str, Any]) -> Change:
    """Add or replace columns: table, column, values."""

    def change(shop: Tables) -> Tables:
        for table, column, values in changes:
            shop = with_column(shop, table, column, values)
        return shop

    return change


def without(table: str, column: str) -> Change:
    return lambda shop: shop | {table: shop[table].drop_columns(column)}


def orders_in(one: str, another: str | None) -> Change:
    return lambda shop: with_cell(with_column(shop, "orders", "currency", one), "orders", "currency", 3, another)


def orders(**columns: str) -> dict[str, Any]:
    return {"tables": TableMappings(orders=TableMapping(columns=columns))}


TABLES: dict[str, tuple[Change, str]] = {
    "a required column that is not there": (
        without("instalments", "due_at"),
        r"instalments has no column due_at; name the column in raw.tables.instalments.columns.due_at",
    ),
    "words for money": (
        columns(("orders", "amount", WORDS)),
        r"every amount is not an amount in whole minor units in orders \(first amount 'much' of order_id 100\); "
        r"convert it or name another column in raw.tables.orders.columns.amount",
    ),
    "words for an optional time": (
        columns(("orders", "cancelled_at", WORDS)),
        r"every cancelled_at is not a time .* in orders \(first cancelled_at 'much' of order_id 100\)",
    ),
    "a flag for money": (
        columns(("orders", "amount", True)),
        r"'amount' of orders has the type BOOLEAN \(true\), and amount is an amount in whole minor units; convert it "
        r"or name another column in raw.tables.orders.columns.amount",
    ),
    "numbers for a time": (
        columns(("orders", "ordered_at", 20240101)),
        r"column 'ordered_at' of orders has the type BIGINT \(20240101\), and ordered_at is a time",
    ),
    "lists for text": (
        columns(("orders", "channel", pa.array([["web"]] * 40))),
        r"column 'channel' of orders has the type VARCHAR\[\] \(\[web\]\), and channel is text",
    ),
    "major units taken for minor": (columns(("orders", "amount", 12.34)), r"every amount is not .* whole minor units"),
    "two currencies": (
        orders_in("EUR", "SEK"),
        r"currency column 'currency' of orders has EUR and SEK; convert the amounts",
    ),
    "two currencies in two tables": (
        columns(("orders", "currency", "EUR"), ("applications", "currency", "SEK")),
        r"column 'currency' of applications has SEK where that of orders is EUR; convert",
    ),
    "a row without currency": (orders_in("EUR", None), r"column 'currency' of orders has EUR and empty rows; convert"),
}

SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "a path that is not there": (
        {"tables": TableMappings(orders=TableMapping(path="buys.parquet"))},
        r"table orders does not exist at '.*raw/buys.parquet'; correct raw.folder or raw.tables.orders.path",
    ),
    "a spreadsheet": (
        {"tables": TableMappings(orders=TableMapping(path="orders.xlsx"))},
        r"raw.tables.orders.path ends in 'orders.xlsx'; convert the file to .parquet or .csv",
    ),
    "a name no contract has": (
        orders(ordred_at="at"),
        r"raw.tables.orders.columns has 'ordred_at', which is not .*; did you mean ordered_at",
    ),
    "a mapped column that is not there": (
        orders(ordered_at="order_at"),
        r"raw.tables.orders.columns.ordered_at is 'order_at', which is not a column of the files; did you mean",
    ),
    "an optional one": (orders(channel="chanel"), r"columns.channel is 'chanel', which is not a column .*; known: "),
    "a mapped currency": (orders(currency="ccy"), r"columns.currency is 'ccy', which is not a column of the files"),
    "no zone": (
        {"time_zone": None},
        rf"time column 'registered_at' of customers has no time zone \(2024-01-01 12:00:00\) {NO_ZONE}",
    ),
    "an unknown zone": (
        {"time_zone": "Europe/Berln"},
        r"time_zone is 'Europe/Berln', which is not an IANA time zone; did you mean Europe/Berlin",
    ),
    "an unknown zone of a table": (
        {"tables": TableMappings(orders=TableMapping(time_zone="Mars"))},
        r"time_zone is 'Mars', which is not an IANA time zone; use an IANA name such as Europe/Berlin",
    ),
    "too large a share": (
        {"max_quarantined": 1.5},
        r"raw.max_quarantined is 1.5; set a share from 0 to 1, such as 0.1",
    ),
    "decimals no currency has": ({"decimals": -1}, r"raw.decimals is -1; set 0 to 6"),
}


@pytest.mark.parametrize(("change", "message"), TABLES.values(), ids=TABLES.keys())
def test_a_table_that_no_row_can_save_stops_the_run(change: Change, message: str, tmp_path: Path) -> None:
    assert_stops(settings(lay(change(a_shop()), tmp_path / "raw")), tmp_path, message)


@pytest.mark.parametrize(("changes", "message"), SETTINGS.values(), ids=SETTINGS.keys())
def test_settings_that_no_table_agrees_with_stop_the_run(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    folder = lay(a_shop(), tmp_path / "raw")
    (folder / "orders.xlsx").touch()
    assert_stops(settings(folder, **changes), tmp_path, message)


def test_another_currency_than_configured_stops_the_run(tmp_path: Path) -> None:
    folder = lay(with_column(a_shop(), "orders", "currency", "EUR"), tmp_path / "raw")
    message = r"currency column 'currency' of orders has EUR where raw.currency is SEK"
    assert_stops(settings(folder, currency="SEK"), tmp_path, message)


def test_text_without_a_zone_stops_the_run(tmp_path: Path) -> None:
    folder = lay(a_shop(), tmp_path / "raw", ".csv")
    message = rf"12 rows of customers have times without a time zone \(first registered_at '2024-01-01 12.*\) {NO_ZONE}"
    assert_stops(settings(folder, time_zone=None), tmp_path, message)


def test_a_column_of_nothing_needs_no_zone(tmp_path: Path) -> None:
    """All other times have one."""
    shop = a_shop()
    for table, field in [(name, field) for name in shop for field in shop[name].schema if field.type == TIME]:
        zoned = shop[table][field.name].cast(pa.timestamp("us", "UTC")).combine_chunks()
        shop = with_column(shop, table, field.name, zoned)
    shop = with_column(shop, "orders", "cancelled_at", days(*[None] * 40))
    raw = settings(lay(shop, tmp_path / "raw"), time_zone=None)
    assert taken_in(raw, tmp_path / "lake/own").tables["orders"].clean == 40


def test_a_stopped_run_leaves_earlier_tables_as_they_were(tmp_path: Path) -> None:
    into = tmp_path / "lake" / "own"
    folder = lay(a_shop(), tmp_path / "raw")
    taken_in(settings(folder), into)
    before = {path: path.stat().st_mtime_ns for path in into.rglob("*")}
    lay(with_column(a_shop(), "instalments", "due_at", pa.nulls(48, TIME)), folder)
    with pytest.raises(DataError, match="rows of instalments break the contract"):
        taken_in(settings(folder, max_quarantined=0.5), into)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "lake").rglob("*") if path != into} == before


def test_too_little_memory_is_told(tmp_path: Path) -> None:
    shop = a_shop()
    many = pa.concat_tables([shop["orders"]] * 10_000)
    shop["orders"] = many.set_column(0, "order_id", pa.array(map(str, range(many.num_rows))))
    raw = settings(lay(shop, tmp_path / "raw"))
    with pytest.raises(ThinfileError, match=r"needs more memory than memory=20MB, .*; raise memory or"):
        run_intake(raw, tmp_path / "lake/own", buckets=3, threads=1, memory_limit="20MB")
    assert not list((tmp_path / "lake").rglob("*"))
