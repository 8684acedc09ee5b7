"""Two laws of the kernel: it agrees with the oracle, and what was not known before changes nothing."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from pipelines.features.kernel import compute_features
from pipelines.features.settings import FeatureSettings
from tests.pipelines.features.marketplaces import SETTINGS, Tables, history_of, random_tables
from tests.pipelines.features.oracle import features as oracle

DAY = timedelta(days=1)


def computed(tables: Tables, lag_days: int = 0, declared: FeatureSettings = SETTINGS) -> dict[Any, dict[str, Any]]:
    table = compute_features(history_of(tables), declared, lag_days=lag_days)
    return {row.pop("application_id"): row for row in table.to_pylist()}


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, float):
        both_missing = math.isnan(found) and math.isnan(expected)
        return both_missing or math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)
    return bool(found == expected)


def assert_agrees_with_the_oracle(seed: int, lag: int) -> None:
    """Raise AssertionError where a feature of a random marketplace is not what the oracle says."""
    tables = random_tables(seed)
    found, expected = computed(tables, lag), oracle(tables, SETTINGS, lag)
    assert found.keys() == expected.keys()
    for application, row in expected.items():
        assert found[application].keys() == row.keys()
        assert {name: value for name, value in row.items() if not same(found[application][name], value)} == {}


def assert_another_future_changes_nothing(seed: int, lag: int) -> None:
    """Raise AssertionError where what was not known before an application changes one of its features."""
    tables, generator = random_tables(seed), np.random.default_rng(seed)
    if not tables["applications"]:
        return
    asked = tables["applications"][generator.integers(len(tables["applications"]))]
    now, mine = asked["applied_at"] - lag * DAY, asked["application_id"]
    other_future = {name: list(_with_another_future(name, tables, asked, now, generator)) for name in tables}
    assert repr(computed(other_future, lag)[mine]) == repr(computed(tables, lag)[mine])


def _with_another_future(
    name: str, tables: Tables, asked: dict[str, Any], now: datetime, generator: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Change, delete and add what was not known strictly before `now`; the past stays as it is."""
    disbursed = {loan["application_id"]: loan["disbursed_at"] or datetime.max for loan in tables["applications"]}
    known_from = {
        "customers": lambda row: row["registered_at"],
        "orders": lambda row: max(row["ordered_at"], row["available_at"] or row["ordered_at"]),
        "applications": lambda row: row["applied_at"],
        "instalments": lambda row: disbursed[row["application_id"]],  # the schedule is known with the loan
    }[name]

    def later() -> datetime:
        return now + int(generator.integers(0, 3)) * 40 * DAY

    for row in tables[name]:
        changed = dict(row)
        is_unknown = known_from(row) >= now and row is not asked
        if is_unknown and generator.random() < 0.5:
            continue
        for column in ("returned_at", "cancelled_at", "paid_at"):
            if column in row and (row[column] is None or row[column] >= now):
                changed[column] = None if generator.random() < 0.5 else later()
        if is_unknown and name == "orders":
            changed |= {"amount": 77_777, "category": "home", "ordered_at": later(), "discount": 9_999}
        yield changed
    if name == "orders":
        for place in range(3):
            fresh = {"order_id": 10**6 + place, "customer_id": asked["customer_id"], "amount": 88_888}
            yield fresh | {"ordered_at": later(), "category": "toys", "channel": "app"}
        late = {"order_id": 10**7, "customer_id": asked["customer_id"], "amount": 99_999, "ordered_at": now - 3 * DAY}
        yield late | {"available_at": later(), "category": "toys", "channel": "app"}
