"""A small marketplace that keeps every rule, ways to break it, and the intake of what came of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from pipelines.errors import RequestError
from pipelines.marketplace.intake import Intake, run_intake
from pipelines.marketplace.settings import RawSettings

CUSTOMERS, ORDERS, APPLICATIONS = 12, 40, 20
BUCKETS = 3
START = datetime(2024, 1, 1, 12)
TIME = pa.timestamp("us")

Tables = dict[str, pa.Table]


def a_shop() -> Tables:
    """Return four tables of UTC times and minor units; every fifth application was declined, the others have 3 dues."""
    loans = [number for number in range(APPLICATIONS) if number % 5]
    dues = [(loan, number) for loan in loans for number in (1, 2, 3)]
    return {
        "customers": pa.table(
            {
                "customer_id": pa.array(range(CUSTOMERS), pa.int64()),
                "registered_at": days(*range(CUSTOMERS)),
                "birth_year": pa.array([1970 + number for number in range(CUSTOMERS)], pa.int32()),
                "sex": pa.array(["f", "m"] * (CUSTOMERS // 2)),
            }
        ),
        "orders": pa.table(
            {
                "order_id": pa.array(range(100, 100 + ORDERS), pa.int64()),
                "customer_id": pa.array([number % CUSTOMERS for number in range(ORDERS)], pa.int64()),
                "ordered_at": days(*(20 + number for number in range(ORDERS))),
                "amount": pa.array([1000 + number for number in range(ORDERS)], pa.int64()),
                "discount": pa.array([number % 3 or None for number in range(ORDERS)], pa.int64()),
                "returned_at": days(*(40 + number if number % 7 == 0 else None for number in range(ORDERS))),
            }
        ),
        "applications": pa.table(
            {
                "application_id": pa.array([f"A{number:02d}" for number in range(APPLICATIONS)]),
                "customer_id": pa.array([number % CUSTOMERS for number in range(APPLICATIONS)], pa.int64()),
                "applied_at": days(*(100 + number for number in range(APPLICATIONS))),
                "principal": pa.array([3000] * APPLICATIONS, pa.int64()),
                "term": pa.array([3] * APPLICATIONS, pa.int32()),
                "decision": pa.array(["approved" if number % 5 else "declined" for number in range(APPLICATIONS)]),
                "price": pa.array([0.2] * APPLICATIONS, pa.float64()),
                "disbursed_at": days(*(101 + number if number % 5 else None for number in range(APPLICATIONS))),
            }
        ),
        "instalments": pa.table(
            {
                "application_id": pa.array([f"A{loan:02d}" for loan, _ in dues]),
                "number": pa.array([number for _, number in dues], pa.int32()),
                "due_at": days(*(101 + loan + 30 * number for loan, number in dues)),
                "due_amount": pa.array([1000] * len(dues), pa.int64()),
                "paid_at": days(*(100 + loan + 30 * number for loan, number in dues)),
                "paid_amount": pa.array([1000] * len(dues), pa.int64()),
            }
        ),
    }


def days(*numbers: float | None) -> pa.Array:
    """Return times so many days after the start of the year."""
    return pa.array([None if number is None else START + timedelta(days=number) for number in numbers], TIME)


def with_column(tables: Tables, table: str, column: str, values: Any) -> Tables:
    """Return the tables with one column added or replaced, by an array or by one value for all rows."""
    old = tables[table]
    new = values if isinstance(values, pa.Array) else pa.array([values] * old.num_rows)
    place = old.column_names.index(column) if column in old.column_names else old.num_columns
    rest = old.drop_columns([column]) if column in old.column_names else old
    return tables | {table: rest.add_column(place, column, new)}


def with_cell(tables: Tables, table: str, column: str, row: int, value: Any) -> Tables:
    """Return the tables with one value replaced; the column keeps its type."""
    values = tables[table][column].to_pylist()
    values[row] = value
    return with_column(tables, table, column, pa.array(values, tables[table][column].type))


def lay(tables: Mapping[str, pa.Table], folder: Path, suffix: str = ".parquet") -> Path:
    """Write each table as one file below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write = pq.write_table if suffix == ".parquet" else pyarrow.csv.write_csv
    for name, table in tables.items():
        write(table, folder / f"{name}{suffix}")
    return folder


def settings(folder: Path, **changes: Any) -> RawSettings:
    """Return settings under which any share of rows may be broken and times are UTC."""
    usual: dict[str, Any] = {"folder": str(folder), "time_zone": "UTC", "max_quarantined": 1.0}
    return RawSettings(**usual | changes)


def taken_in(raw: RawSettings, into: Path) -> Intake:
    """Take a folder in, as a small machine would."""
    return run_intake(raw, into, buckets=BUCKETS, threads=2, memory_limit="1GB")


def intake_of(tables: Mapping[str, pa.Table], tmp_path: Path, **changes: Any) -> Intake:
    """Write the tables and take them in to tmp_path/lake/own."""
    return taken_in(settings(lay(tables, tmp_path / "raw"), **changes), tmp_path / "lake" / "own")


def clean(tmp_path: Path, table: str) -> pa.Table:
    """Return all clean rows of a table, in the order of its first columns."""
    files = sorted((tmp_path / "lake" / "own" / "clean" / table).rglob("*.parquet"))
    rows = pa.concat_tables([pq.read_table(file, partitioning=None) for file in files])
    return rows.sort_by([(name, "ascending") for name in rows.column_names[:2]])


def quarantined(tmp_path: Path, table: str) -> pa.Table:
    """Return the quarantine of a table."""
    return pq.read_table(tmp_path / "lake" / "own" / "quarantine" / f"{table}.parquet")


def assert_stops(raw: RawSettings, tmp_path: Path, message: str) -> None:
    """Assert that an intake is refused in one line that matches, and that nothing is left in the lake."""
    with pytest.raises(RequestError, match=message) as raised:
        taken_in(raw, tmp_path / "lake" / "own")
    assert "\n" not in str(raised.value)
    assert not list((tmp_path / "lake").rglob("*"))
