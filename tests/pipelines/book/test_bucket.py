"""A customer of the book has the features of an application made at the observation time for the reference loan."""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.book.observation import Observation
from pipelines.book.recipe import book_rows
from pipelines.features.history import History
from pipelines.marketplace.settings import ReferenceLoan
from tests.pipelines.features.laws import computed
from tests.pipelines.features.marketplaces import SETTINGS, START, history_of, random_tables

ABOUT = ("customer_id", "observed_at", "sex", "age_band")


def book_of(history: History, at: datetime, lag: int, loan: ReferenceLoan) -> dict[Any, dict[str, Any]]:
    parts = list(book_rows(history, Observation("", at, timedelta(days=lag), loan), SETTINGS))
    return {row["customer_id"]: row for row in pa.concat_tables(parts).to_pylist()}


@given(seed=st.integers(0, 10**6), lag=st.sampled_from([0, 1, 45]))
@settings(max_examples=10, deadline=None)
def test_who_applied_at_that_moment_for_that_loan_has_the_same_features(seed: int, lag: int) -> None:
    tables = random_tables(seed)
    for asked in tables["applications"]:
        asked["order_id"] = None  # a reference loan finances no order
    registered = {row["customer_id"]: row["registered_at"] for row in tables["customers"]}
    found = computed(tables, lag)
    for asked in tables["applications"]:
        loan = ReferenceLoan(asked["principal"], asked["term"], basket_category=asked["basket_category"])
        rows = book_of(history_of(tables), asked["applied_at"], lag, loan)
        assert set(rows) == {one for one, moment in registered.items() if moment < asked["applied_at"]}
        if asked["customer_id"] in rows:
            row, expected = rows[asked["customer_id"]], found[asked["application_id"]]
            assert repr({name: row[name] for name in expected}) == repr(expected)
            assert set(row) - set(expected) == {*ABOUT, "sum_of_orders_365d", "sum_of_spent_365d"}


def test_nobody_s_application_changes_another_s_features_and_parts_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history, loan = history_of(random_tables(3, customers=40)), ReferenceLoan(70_000, 12)
    whole = book_of(history, START + timedelta(days=400), 7, loan)
    assert list(whole) == sorted(whole)
    assert len(whole) > 20
    monkeypatch.setattr("pipelines.book.recipe.MOST_AT_ONCE", 3)
    assert repr(book_of(history, START + timedelta(days=400), 7, loan)) == repr(whole)


def test_protected_attributes_are_those_of_the_observation_s_year() -> None:
    tables = random_tables(3)
    for customer in tables["customers"]:
        customer |= {"sex": "female", "birth_year": 2000, "registered_at": START}
    rows = book_of(history_of(tables), START + timedelta(days=366), 0, ReferenceLoan())
    assert {(row["sex"], row["age_band"]) for row in rows.values()} == {("female", "25-34")}


def test_a_bucket_without_customers_has_columns_all_the_same() -> None:
    (rows,) = book_rows(history_of(random_tables(3)), Observation("", START, timedelta(0), ReferenceLoan()), SETTINGS)
    assert len(rows) == 0
    assert {*ABOUT, "orders_30d", "sum_of_spent_365d"} <= set(rows.column_names)
