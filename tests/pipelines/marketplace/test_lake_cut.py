"""Features recomputed from the lake of an application's day are those of the kernel, and the cut keeps no later row."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.features.history import History
from pipelines.features.kernel import compute_features
from pipelines.marketplace.lake_cut import FINANCED, KNOWN_BEFORE, SINGLED, cut_history, recompute_features
from pipelines.marketplace.manifest import PreparedLake
from tests.pipelines.features.marketplaces import SETTINGS, arrow_table, history_of, random_tables

LAGS = (0, 1, 45)
NOW = datetime(2024, 6, 1, 12)
DAY = timedelta(days=1)


def laid(history: History, folder: Path) -> Path:
    """Write clean tables of one bucket."""
    for name, table in vars(history).items():
        place = folder / "clean" / name / "bucket=0"
        place.mkdir(parents=True)
        pq.write_table(table, place / "data.parquet")
    return folder


def rows(table: pa.Table) -> dict[str, str]:
    """Return each application's features, spelt so that missing ones are equal."""
    return {str(row.pop("application_id")): repr(row) for row in table.to_pylist()}


def with_text_ids(history: History) -> History:
    def spelt(table: pa.Table) -> pa.Table:
        for name in {"customer_id", "application_id"} & set(table.column_names):
            table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.string()))
        return table

    return History(**{name: spelt(table) for name, table in vars(history).items()})


@pytest.mark.parametrize("seed", range(6))
def test_features_of_a_cut_lake_are_those_of_the_whole_lake(seed: int, tmp_path: Path) -> None:
    history, lag = history_of(random_tables(seed)), LAGS[seed % 3]
    history = with_text_ids(history) if seed % 2 else history
    lake = PreparedLake(laid(history, tmp_path), SETTINGS, lag)
    whole = rows(compute_features(history, SETTINGS, lag_days=lag))
    asked = sorted(whole)[::2]
    assert len(asked) > 5
    assert rows(recompute_features(lake, [*asked, "nobody"])) == {name: whole[name] for name in asked}


def test_another_lag_is_seen(tmp_path: Path) -> None:
    history = history_of(random_tables(1))
    lake = PreparedLake(laid(history, tmp_path), SETTINGS, 0)
    whole = rows(compute_features(history, SETTINGS, lag_days=30))
    assert rows(recompute_features(lake, list(whole))) != whole


def a_history() -> History:
    def order(number: int, at: datetime, **more: Any) -> dict[str, Any]:
        return {"order_id": number, "customer_id": 7, "ordered_at": at, "amount": 100} | more

    def loan(number: int, at: datetime, lent: datetime | None) -> dict[str, Any]:
        told = {"application_id": number, "customer_id": 7, "applied_at": at, "disbursed_at": lent}
        return told | {"principal": 300, "term": 3, "decision": "approved"}

    def due(number: int, at: datetime, paid: datetime | None) -> dict[str, Any]:
        told = {"application_id": number, "number": 1, "due_at": at, "due_amount": 100}
        return told | {"paid_at": paid, "paid_amount": 100 if paid else 0}

    tables = {
        "customers": [{"customer_id": 7, "registered_at": NOW - 400 * DAY}, {"customer_id": 8, "registered_at": NOW}],
        "orders": [
            order(1, NOW - 9 * DAY, returned_at=NOW - DAY),
            order(2, NOW - 8 * DAY, returned_at=NOW, cancelled_at=NOW + DAY),
            order(3, NOW - 7 * DAY, available_at=NOW),
            order(4, NOW),
            order(5, NOW + DAY),
            order(6, NOW - timedelta(minutes=2)),
        ],
        "applications": [
            loan(20, NOW - 90 * DAY, NOW - 89 * DAY),
            loan(21, NOW - DAY, NOW),
            loan(22, NOW, NOW + DAY),
            loan(23, NOW, None),
        ],
        "instalments": [
            due(20, NOW - 60 * DAY, NOW - 59 * DAY),
            due(20, NOW - 30 * DAY, NOW) | {"number": 2},
            due(20, NOW + 30 * DAY, None) | {"number": 3},
            due(21, NOW + 30 * DAY, NOW + 31 * DAY),
            due(22, NOW + 31 * DAY, NOW + 31 * DAY),
        ],
    }
    return History(**{name: arrow_table(name, of_table) for name, of_table in tables.items()})


def column_by_column(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return sorted(zip(*(table[name].to_pylist() for name in names), strict=True), key=repr)


def test_what_was_not_known_strictly_before_is_deleted_or_blanked(tmp_path: Path) -> None:
    moment = pa.array([NOW], "timestamp[us]")
    singled = pa.table({SINGLED: [0], "customer_id": [7], "requested_id": [22], KNOWN_BEFORE: moment, FINANCED: [6]})
    cut = cut_history(laid(a_history(), tmp_path), singled)
    assert cut.customers["customer_id"].to_pylist() == [0]
    orders = column_by_column(cut.orders, "order_id", "returned_at", "cancelled_at")
    assert orders == [(1, NOW - DAY, None), (2, None, None)]
    loans = dict(column_by_column(cut.applications, "applied_at", "disbursed_at"))
    assert loans == {NOW - 90 * DAY: NOW - 89 * DAY, NOW - DAY: None, NOW: None}
    assert len(cut.applications) == 3
    assert not {"decision", "price", "decision_score", "is_random_approval"} & set(cut.applications.column_names)
    paid = column_by_column(cut.instalments, "number", "paid_amount", "paid_at")
    assert paid == [(1, 100, NOW - 59 * DAY), (2, 0, None), (3, 0, None)]
