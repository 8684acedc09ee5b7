"""How values are read, whatever they were written as: against Python's own dates, zones and decimals."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engine.duckdb_engine import connect
from pipelines.marketplace.column_mapping import ColumnMapping
from pipelines.marketplace.readings import Units, family, is_readable, read_column
from pipelines.marketplace.tables import Column, Kind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[DuckDBPyConnection]":
    with connect(1, "1GB", Path(tmp_path_factory.mktemp("scratch"))) as opened:
        yield opened


NO_UNITS, NO_MAPPING = Units(), ColumnMapping()


def read(
    connection: "DuckDBPyConnection",
    kind: Kind,
    value: Any,
    written_as: str,
    units: Units = NO_UNITS,
    mapping: ColumnMapping = NO_MAPPING,
) -> Any:
    """Return a value of a type as it is read, or what is wrong with it."""
    how = read_column(Column("x", kind), "given", written_as, units, mapping)
    faults = [one or "false" for one in (how.infinite, how.zoneless, how.unreadable, how.out_of_range)]
    sources = f"select {how.source} as raw_x from (select $1::{written_as} as given)"
    mapped = f"select *, {how.mapped or 'null'} as mapped_x from ({sources})"
    sql = f"select x, {', '.join(f'({one})' for one in faults)} from (select *, {how.value} as x from ({mapped}))"
    row = connection.execute(sql, [value]).fetchone()
    assert row is not None
    names = ("infinite", "no zone", "unreadable", "out of range")
    return next((name for name, is_so in zip(names, row[1:], strict=True) if is_so), row[0])


@pytest.mark.parametrize(
    ("value", "written_as", "decimals", "minor"),
    [
        (1234, "BIGINT", 0, 1234),
        (12, "TINYINT", 2, 1200),
        (2**63 - 1, "BIGINT", 2, "unreadable"),
        (12.34, "DOUBLE", 2, 1234),
        (0.1 + 0.2, "DOUBLE", 2, 30),
        (1.15, "DOUBLE", 2, 115),
        (-12.34, "DOUBLE", 2, -1234),
        (9_999_999.99, "DOUBLE", 2, 999_999_999),
        (12.345, "DOUBLE", 2, "unreadable"),
        (12.5, "DOUBLE", 0, "unreadable"),
        (12.34, "FLOAT", 2, 1234),
        (float("inf"), "DOUBLE", 2, "infinite"),
        (float("-inf"), "FLOAT", 0, "infinite"),
        (float("nan"), "DOUBLE", 2, None),
        (1e300, "DOUBLE", 2, "unreadable"),
        (Decimal("12.34"), "DECIMAL(18,2)", 2, 1234),
        (Decimal("12.340"), "DECIMAL(18,3)", 2, 1234),
        (Decimal("12.345"), "DECIMAL(18,3)", 2, "unreadable"),
        (Decimal("12.5"), "DECIMAL(9,1)", 2, 1250),
        (Decimal("7" * 30), "DECIMAL(38,0)", 2, "unreadable"),
        ("12.34", "VARCHAR", 2, 1234),
        (" 12.3 ", "VARCHAR", 2, 1230),
        ("12.345", "VARCHAR", 2, "unreadable"),
        ("12,34", "VARCHAR", 2, "unreadable"),
        ("1,234", "VARCHAR", 0, "unreadable"),
        ("12.0", "VARCHAR", 0, 12),
        ("1e3", "VARCHAR", 2, 100_000),
        ("inf", "VARCHAR", 2, "infinite"),
        ("-Infinity", "VARCHAR", 2, "infinite"),
        ("", "VARCHAR", 2, "unreadable"),
        (None, "VARCHAR", 2, None),
        (1.234, "DOUBLE", 3, 1234),
    ],
)
def test_money_is_exact(
    connection: "DuckDBPyConnection", value: Any, written_as: str, decimals: int, minor: int | str | None
) -> None:
    assert read(connection, Kind.money, value, written_as, Units(decimals)) == minor


@settings(deadline=None, max_examples=60)
@given(st.integers(-(10**9), 10**9), st.integers(0, 4))
def test_money_comes_back_whatever_it_is_written_as(
    connection: "DuckDBPyConnection", minor: int, decimals: int
) -> None:
    exact = Decimal(minor).scaleb(-decimals)
    for value, written_as in ((exact, f"DECIMAL(18,{decimals})"), (float(exact), "DOUBLE"), (str(exact), "VARCHAR")):
        assert read(connection, Kind.money, value, written_as, Units(decimals)) == minor


BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


@pytest.mark.parametrize(
    ("value", "written_as", "zone", "utc"),
    [
        ("2024-07-01T12:00:00Z", "VARCHAR", None, datetime(2024, 7, 1, 12)),
        ("2024-07-01 12:00+02:00", "VARCHAR", None, datetime(2024, 7, 1, 10)),
        ("2024-07-01T12:00:00.5-0430", "VARCHAR", BERLIN, datetime(2024, 7, 1, 16, 30, 0, 500_000)),
        ("2024-07-01 12:00:00+02", "VARCHAR", "UTC", datetime(2024, 7, 1, 10)),
        ("2024-07-01 12:00:00 UTC", "VARCHAR", BERLIN, datetime(2024, 7, 1, 12)),
        ("2024-07-01 12:00:00", "VARCHAR", "UTC", datetime(2024, 7, 1, 12)),
        ("2024-07-01T12:00", "VARCHAR", BERLIN, datetime(2024, 7, 1, 10)),
        ("2024-07-01", "VARCHAR", BERLIN, datetime(2024, 6, 30, 22)),
        ("2024-01-01 00:00:00.000001", "VARCHAR", NEW_YORK, datetime(2024, 1, 1, 5, 0, 0, 1)),
        ("2024-07-01", "VARCHAR", None, "no zone"),
        ("2024-07-01T12:00:00.25", "VARCHAR", None, "no zone"),
        ("2024-02-30", "VARCHAR", "UTC", "unreadable"),
        ("01.07.2024", "VARCHAR", BERLIN, "unreadable"),
        ("1719835200", "VARCHAR", "UTC", "unreadable"),
        ("", "VARCHAR", None, "unreadable"),
        ("infinity", "VARCHAR", BERLIN, "infinite"),
        ("-infinity", "VARCHAR", None, "infinite"),
        (datetime(2024, 7, 1, 12), "TIMESTAMP", BERLIN, datetime(2024, 7, 1, 10)),
        (datetime(2024, 7, 1, 12), "TIMESTAMP_NS", "UTC", datetime(2024, 7, 1, 12)),
        (datetime(2024, 7, 1, 12), "TIMESTAMP_S", NEW_YORK, datetime(2024, 7, 1, 16)),
        (date(2024, 7, 1), "DATE", BERLIN, datetime(2024, 6, 30, 22)),
        (datetime(2024, 7, 1, 12, tzinfo=UTC), "TIMESTAMP WITH TIME ZONE", BERLIN, datetime(2024, 7, 1, 12)),
        (None, "TIMESTAMP", BERLIN, None),
    ],
)
def test_times_become_utc(
    connection: "DuckDBPyConnection", value: Any, written_as: str, zone: str | None, utc: datetime | str | None
) -> None:
    assert read(connection, Kind.time, value, written_as, Units(zone=zone)) == utc


@pytest.mark.parametrize("written_as", ["TIMESTAMP", "VARCHAR"])
def test_hours_that_summer_time_skips_and_repeats_are_decided(
    connection: "DuckDBPyConnection", written_as: str
) -> None:
    """In Berlin 02:30 on 31 March 2024 never was and is read as 03:30; of two on 27 October the second is meant."""
    skipped, twice = (
        read(connection, Kind.time, moment, written_as, Units(zone=BERLIN))
        for moment in ("2024-03-31 02:30:00", "2024-10-27 02:30:00")
    )
    assert skipped == datetime(2024, 3, 31, 1, 30) == utc(datetime(2024, 3, 31, 3, 30), 0)
    assert twice == datetime(2024, 10, 27, 1, 30) == utc(datetime(2024, 10, 27, 2, 30), 1)


def utc(local: datetime, fold: int) -> datetime:
    return local.replace(tzinfo=ZoneInfo(BERLIN), fold=fold).astimezone(UTC).replace(tzinfo=None)


@settings(deadline=None, max_examples=60)
@given(
    st.datetimes(datetime(1975, 1, 1), datetime(2035, 1, 1)),
    st.sampled_from([BERLIN, NEW_YORK, "Asia/Kolkata", "Pacific/Auckland"]),
)
def test_any_moment_comes_back_from_any_zone(connection: "DuckDBPyConnection", moment: datetime, zone: str) -> None:
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    naive = local.replace(tzinfo=None, fold=0)
    for value, written_as in ((naive, "TIMESTAMP"), (naive.isoformat(" "), "VARCHAR")):
        found = read(connection, Kind.time, value, written_as, Units(zone=zone))
        assert found == moment or naive.replace(tzinfo=ZoneInfo(zone), fold=1).utcoffset() != local.utcoffset()
    assert read(connection, Kind.time, local.isoformat(), "VARCHAR", Units(zone="Asia/Tokyo")) == moment


@pytest.mark.parametrize(
    ("kind", "value", "written_as", "expected"),
    [
        (Kind.identifier, 7, "UINTEGER", 7),
        (Kind.identifier, 7.0, "DOUBLE", 7),
        (Kind.identifier, 7.5, "DOUBLE", "unreadable"),
        (Kind.identifier, 2.0**60, "DOUBLE", "unreadable"),
        (Kind.identifier, Decimal(7), "DECIMAL(20,0)", 7),
        (Kind.identifier, 2**64, "HUGEINT", "unreadable"),
        (Kind.whole, 12, "BIGINT", 12),
        (Kind.whole, 2**40, "BIGINT", "unreadable"),
        (Kind.whole, 12.0, "FLOAT", 12),
        (Kind.whole, 12.5, "FLOAT", "unreadable"),
        (Kind.whole, float("nan"), "DOUBLE", None),
        (Kind.whole, float("inf"), "DOUBLE", "infinite"),
        (Kind.whole, "12", "VARCHAR", 12),
        (Kind.whole, "12.0", "VARCHAR", 12),
        (Kind.whole, "12.5", "VARCHAR", "unreadable"),
        (Kind.number, "0.25", "VARCHAR", 0.25),
        (Kind.number, "inf", "VARCHAR", "infinite"),
        (Kind.number, float("-inf"), "FLOAT", "infinite"),
        (Kind.number, float("nan"), "FLOAT", None),
        (Kind.number, Decimal("0.25"), "DECIMAL(9,2)", 0.25),
        (Kind.flag, True, "BOOLEAN", True),
        (Kind.flag, 0, "TINYINT", False),
        (Kind.flag, 2, "BIGINT", "unreadable"),
        (Kind.flag, "yes", "VARCHAR", True),
        (Kind.flag, "maybe", "VARCHAR", "unreadable"),
        (Kind.text, 5, "INTEGER", "5"),
        (Kind.text, "", "VARCHAR", ""),
    ],
)
def test_other_kinds(connection: "DuckDBPyConnection", kind: Kind, value: Any, written_as: str, expected: Any) -> None:
    found = read(connection, kind, value, written_as)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "written_as", "expected"),
    [(7, "BIGINT", "7"), (7.0, "DOUBLE", "7"), ("007", "VARCHAR", "007"), (2**64, "HUGEINT", "unreadable")],
)
def test_identifiers_as_text(connection: "DuckDBPyConnection", value: Any, written_as: str, expected: str) -> None:
    assert read(connection, Kind.identifier, value, written_as, Units(ids_as_text=True)) == expected


def test_every_type_has_a_family_and_every_kind_is_readable_from_itself() -> None:
    for kind in Kind:
        own = "BIGINT" if kind is Kind.identifier else kind.value.upper()
        assert is_readable(kind, own)
    assert family("STRUCT(a INTEGER)") == family("BLOB") == family("INTERVAL") == "other"


@pytest.mark.parametrize(
    ("value", "mapping", "utc"),
    [
        ("6/1/19 10:00:00", ColumnMapping(), "unreadable"),
        ("06-01-19", ColumnMapping(), "unreadable"),
        ("20240701", ColumnMapping(), "unreadable"),
        ("0019-01-06", ColumnMapping(), "out of range"),
        ("9999-12-31", ColumnMapping(), "out of range"),
        ("2200-12-31", ColumnMapping(), datetime(2200, 12, 31)),
        ("6/1/19 10:00:00", ColumnMapping(format=["%d/%m/%y %H:%M:%S"]), datetime(2019, 1, 6, 10)),
        ("6/1/19", ColumnMapping(format=["%d/%m/%y %H:%M:%S", "%d/%m/%y"]), datetime(2019, 1, 6)),
        ("Jan-2025", ColumnMapping(format=["%b-%Y"]), datetime(2025, 1, 1)),
        ("2024-07-01", ColumnMapping(format=["%d.%m.%Y"]), "unreadable"),
        ("1719835200", ColumnMapping(unit="seconds"), datetime(2024, 7, 1, 12)),
        ("1719835200500", ColumnMapping(unit="milliseconds"), datetime(2024, 7, 1, 12, 0, 0, 500_000)),
        ("soon", ColumnMapping(unit="seconds"), None),
    ],
)
def test_times_are_iso_or_of_a_declared_format(
    connection: "DuckDBPyConnection", value: str, mapping: ColumnMapping, utc: datetime | str | None
) -> None:
    assert read(connection, Kind.time, value, "VARCHAR", Units(zone="UTC"), mapping) == utc


@pytest.mark.parametrize("written_as", ["VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"])
def test_a_time_that_means_never_is_missing(connection: "DuckDBPyConnection", written_as: str) -> None:
    units = Units(zone="UTC", never=("9999-12-31", "2999-12-31"))
    assert [read(connection, Kind.time, f"{one}-12-31", written_as, units) for one in (9999, 2999)] == [None, None]
    assert read(connection, Kind.time, "2024-12-31", written_as, units) == datetime(2024, 12, 31)


def test_a_declared_format_is_in_local_time(connection: "DuckDBPyConnection") -> None:
    mapping = ColumnMapping(format=["%d.%m.%Y %H:%M"])
    assert read(connection, Kind.time, "01.07.2024 12:00", "VARCHAR", Units(zone=BERLIN), mapping) == datetime(
        2024, 7, 1, 10
    )


@pytest.mark.parametrize(
    ("kind", "value", "written_as", "mapping", "expected"),
    [
        (Kind.text, 0, "INTEGER", {0: "declined", 1: "approved"}, "declined"),
        (Kind.text, 1.0, "DOUBLE", {0: "declined", 1: "approved"}, "approved"),
        (Kind.text, "1", "VARCHAR", {0: "declined", 1: "approved"}, "approved"),
        (Kind.text, "01", "VARCHAR", {"1": "approved"}, "01"),
        (Kind.text, True, "BOOLEAN", {True: "approved", False: "declined"}, "approved"),
        (Kind.text, "web", "VARCHAR", {"app": "mobile"}, "web"),
        (Kind.text, "it's", "VARCHAR", {"it's": "l'argent"}, "l'argent"),
        (Kind.flag, "Y", "VARCHAR", {"Y": True, "N": False}, True),
        (Kind.whole, "quarter", "VARCHAR", {"quarter": 3}, 3),
        (Kind.whole, "n/a", "VARCHAR", {"n/a": None}, None),
        (Kind.whole, "long", "VARCHAR", {"quarter": 3}, "unreadable"),
    ],
)
def test_values_are_mapped_and_others_stay(
    connection: "DuckDBPyConnection", kind: Kind, value: Any, written_as: str, mapping: dict[Any, Any], expected: Any
) -> None:
    assert read(connection, kind, value, written_as, mapping=ColumnMapping(map=mapping)) == expected


def test_a_unit_of_one_column_stands_above_that_of_all(connection: "DuckDBPyConnection") -> None:
    assert read(connection, Kind.money, "12.34", "VARCHAR", Units(0), ColumnMapping(unit="major")) == 1234
    assert read(connection, Kind.money, "1234", "VARCHAR", Units(2), ColumnMapping(unit="minor")) == 1234
    assert read(connection, Kind.number, 19.5, "DOUBLE", mapping=ColumnMapping(unit="percent")) == 0.195


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "minor"),
    [
        ("1.234,56", ",", ".", 123456),
        ("12,5", ",", ".", 1250),
        ("-1.234.567", ",", ".", -123456700),
        (" 7 ", ",", ".", 700),
        ("1234,56", ",", None, 123456),
        ("1,234.56", ".", ",", 123456),
        ("1'234.50", ".", "'", 123450),
        ("12.34", ",", None, "unreadable"),
        ("12.34", ",", ".", "unreadable"),
        ("1,23,4", ".", ",", "unreadable"),
        ("1.234.56", ",", ".", "unreadable"),
        ("abc", ",", ".", "unreadable"),
        ("", ",", ".", "unreadable"),
    ],
)
def test_numbers_in_text_are_read_by_their_marks(
    connection: "DuckDBPyConnection", text: str, decimal: str, thousands: str | None, minor: int | str
) -> None:
    units = Units(decimals=2, decimal=decimal, thousands=thousands)
    assert read(connection, Kind.money, text, "VARCHAR", units) == minor
