"""Tables and settings that no row can save: each one message, and nothing left behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.errors import DataError, ThinfileError
from pipelines.marketplace.intake import take_in
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
NO_ZONE = r"and no time_zone is given; add raw.time_zone=UTC or the zone"


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
        r"instalments must have a column due_at, found none; name another in raw.tables.instalments.columns.due_at",
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
        r"amount must be an amount in whole minor units, column 'amount' of orders is BOOLEAN \(true\); convert it or "
        r"name another in raw.tables.orders.columns.amount",
    ),
    "numbers for a time": (
        columns(("orders", "ordered_at", 20240101)),
        r"ordered_at must be a time .*, column 'ordered_at' of orders is BIGINT \(20240101\)",
    ),
    "lists for text": (
        columns(("orders", "channel", pa.array([["web"]] * 40))),
        r"channel must be text, column 'channel' of orders is VARCHAR\[\] \(\[web\]\)",
    ),
    "major units taken for minor": (columns(("orders", "amount", 12.34)), r"every amount is not .* whole minor units"),
    "two currencies": (
        orders_in("EUR", "SEK"),
        r"all amounts must be in one currency, column 'currency' of orders holds EUR and SEK; convert the amounts",
    ),
    "two currencies in two tables": (
        columns(("orders", "currency", "EUR"), ("applications", "currency", "SEK")),
        r"column 'currency' of applications holds SEK where that of orders is EUR; convert",
    ),
    "a row without currency": (orders_in("EUR", None), r"column 'currency' of orders holds EUR and nothing; convert"),
}

SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "a path that is not there": (
        {"tables": TableMappings(orders=TableMapping(path="buys.parquet"))},
        r"needs its orders, found nothing at '.*raw/buys.parquet'; correct raw.folder or raw.tables.orders.path",
    ),
    "a spreadsheet": (
        {"tables": TableMappings(orders=TableMapping(path="orders.xlsx"))},
        r"orders must all be .parquet or all be .csv, found .xlsx at '.*raw/orders.xlsx'; keep one format or name",
    ),
    "a name no contract has": (
        orders(ordred_at="at"),
        r"raw.tables.orders.columns maps names of the contract, received 'ordred_at'; did you mean ordered_at",
    ),
    "a mapped column that is not there": (
        orders(ordered_at="order_at"),
        r"raw.tables.orders.columns.ordered_at must name a column of the files, received 'order_at'; did you mean",
    ),
    "an optional one": (orders(channel="chanel"), r"columns.channel must name a column .*, received 'chanel'; known: "),
    "a mapped currency": (orders(currency="ccy"), r"columns.currency must name a column of the files, received 'ccy'"),
    "no zone": (
        {"time_zone": None},
        rf"a time needs a zone, column 'registered_at' of customers has none \(2024-01-01 12:00:00\) {NO_ZONE}",
    ),
    "an unknown zone": (
        {"time_zone": "Europe/Berln"},
        r"time_zone must be an IANA name, received 'Europe/Berln'; did you mean Europe/Berlin",
    ),
    "an unknown zone of a table": (
        {"tables": TableMappings(orders=TableMapping(time_zone="Mars"))},
        r"time_zone must be an IANA name, received 'Mars'; use an IANA name such as Europe/Berlin",
    ),
    "too large a share": (
        {"max_quarantined": 1.5},
        r"raw.max_quarantined is a share, received 1.5; use for example 0.1",
    ),
    "decimals no currency has": ({"decimals": -1}, r"raw.decimals must lie between 0 and 6, received -1"),
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
    message = r"all amounts must be in one currency, column 'currency' of orders holds EUR where raw.currency is SEK"
    assert_stops(settings(folder, currency="SEK"), tmp_path, message)


def test_text_without_a_zone_stops_the_run(tmp_path: Path) -> None:
    folder = lay(a_shop(), tmp_path / "raw", ".csv")
    message = rf"a time needs a zone, 12 rows of customers have none \(first registered_at '2024-01-01 12.*\) {NO_ZONE}"
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
    with pytest.raises(DataError, match="of instalments may break"):
        taken_in(settings(folder, max_quarantined=0.5), into)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "lake").rglob("*") if path != into} == before


def test_too_little_memory_is_told(tmp_path: Path) -> None:
    shop = a_shop()
    many = pa.concat_tables([shop["orders"]] * 10_000)
    shop["orders"] = many.set_column(0, "order_id", pa.array(map(str, range(many.num_rows))))
    raw = settings(lay(shop, tmp_path / "raw"))
    with pytest.raises(ThinfileError, match=r"needs more than the 20MB of memory it may use, .*; raise the limit or"):
        take_in(raw, tmp_path / "lake/own", buckets=3, threads=1, memory_limit="20MB")
    assert not list((tmp_path / "lake").rglob("*"))
