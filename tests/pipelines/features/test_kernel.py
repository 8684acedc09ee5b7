"""The kernel agrees with the oracle, and nothing that was not known before an application changes its features."""

import math
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import DataError
from tests.pipelines.features.laws import assert_agrees_with_the_oracle, assert_another_future_changes_nothing, computed
from tests.pipelines.features.marketplaces import START, Tables, random_tables

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
NOW = START + 400 * DAY


@given(seed=st.integers(0, 10**6), lag=st.sampled_from([0, 1, 45]))
@settings(max_examples=25, deadline=None)
def test_the_kernel_agrees_with_the_oracle(seed: int, lag: int) -> None:
    assert_agrees_with_the_oracle(seed, lag)


@given(seed=st.integers(0, 10**6), lag=st.sampled_from([0, 7]))
@settings(max_examples=25, deadline=None)
def test_nothing_that_was_not_known_before_changes_a_feature(seed: int, lag: int) -> None:
    assert_another_future_changes_nothing(seed, lag)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_every_order_known_in_a_window_counts_in_it(seed: int) -> None:
    tables = random_tables(seed)
    for asked in tables["applications"][:1]:
        for order in [row for row in tables["orders"] if row["customer_id"] == asked["customer_id"]]:
            others = [row for row in tables["orders"] if row is not order]
            known = max(order["ordered_at"], order["available_at"] or order["ordered_at"])
            counts = known < asked["applied_at"] <= order["ordered_at"] + 365 * DAY
            counts &= order["order_id"] != asked["order_id"]
            without = computed(tables | {"orders": others})[asked["application_id"]]
            whole = computed(tables)[asked["application_id"]]
            assert whole["orders_365d"] - without["orders_365d"] == counts
            assert whole["spent_365d"] - without["spent_365d"] == counts * order["amount"]


def one_customer(*orders: dict[str, Any], instalments: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return the features of the one application, at NOW, of a customer with these orders."""
    loan = {"application_id": 1, "customer_id": 1, "principal": 10_000, "term": 3, "basket_category": "toys"}
    earlier = loan | {"application_id": 0, "applied_at": NOW - 200 * DAY, "disbursed_at": NOW - 200 * DAY}
    tables: Tables = {
        "customers": [{"customer_id": 1, "registered_at": START}],
        "orders": [{"order_id": place, "customer_id": 1, "amount": 1_000} | row for place, row in enumerate(orders)],
        "applications": [earlier, loan | {"applied_at": NOW, "disbursed_at": None}],
        "instalments": [{"application_id": 0, "number": n} | row for n, row in enumerate(instalments or [], 1)],
    }
    return computed(tables)[1]


@pytest.mark.parametrize(
    ("ordered_at", "counted"),
    [(NOW, 0), (NOW - TICK, 1), (NOW - 30 * DAY, 1), (NOW - 30 * DAY - TICK, 0)],
    ids=["at the very moment", "just before", "as the window opens", "just before it opens"],
)
def test_ties_in_time_are_decided(ordered_at: datetime, counted: int) -> None:
    assert one_customer({"ordered_at": ordered_at})["orders_30d"] == counted


def test_a_return_counts_once_it_is_known_and_for_the_window_of_its_order() -> None:
    bought = {"ordered_at": NOW - 40 * DAY}
    assert one_customer(bought | {"returned_at": NOW})["returned_share_90d"] == 0
    assert one_customer(bought | {"returned_at": NOW - TICK})["returned_share_90d"] == 1
    assert math.isnan(one_customer(bought | {"returned_at": NOW - TICK})["returned_share_30d"])


def test_a_late_record_counts_once_it_is_there_and_for_the_window_of_its_order() -> None:
    late = one_customer({"ordered_at": NOW - 40 * DAY, "available_at": NOW - DAY})
    assert (late["orders_30d"], late["orders_90d"], late["days_since_last_order"]) == (0, 1, 40)
    unknown = one_customer({"ordered_at": NOW - 40 * DAY, "available_at": NOW})
    assert unknown["orders_365d"] == 0
    assert math.isnan(unknown["days_since_last_order"])


@pytest.mark.parametrize("before", [TICK, timedelta(seconds=1), 40 * DAY])
def test_the_order_that_a_loan_finances_is_never_its_history(before: timedelta) -> None:
    """Whether it was placed a second before the application or weeks: nothing that it adds to sums may count."""
    other = {"order_id": 7, "customer_id": 1, "ordered_at": NOW - 50 * DAY, "amount": 700, "category": "toys"}
    own = {"order_id": 8, "customer_id": 1, "ordered_at": NOW - before, "amount": 9_000, "cancelled_at": NOW - TICK}
    loan = {"customer_id": 1, "principal": 9_000, "term": 3, "basket_category": "home"}
    tables: Tables = {
        "customers": [{"customer_id": 1, "registered_at": START}],
        "orders": [other, own],
        "applications": [
            loan | {"application_id": 1, "applied_at": NOW, "order_id": 8},
            loan | {"application_id": 2, "applied_at": NOW},
            loan | {"application_id": 3, "applied_at": NOW + DAY, "order_id": 9},
        ],
        "instalments": [],
    }
    found = computed(tables)
    alone = computed(tables | {"orders": [other]})
    # then the loan that it finances has the features of a customer without it, and other loans count it
    assert repr(found[1]) == repr(alone[1])
    assert found[2]["orders_90d"] == found[3]["orders_90d"] == 2
    assert found[2]["cancelled_share_90d"] == 0.5
    assert found[1]["days_since_last_order"] == 50
    assert found[2]["days_since_last_order"] == pytest.approx(before / DAY)


def test_the_order_of_another_customer_takes_nothing_away() -> None:
    loan = {"principal": 9_000, "term": 3, "basket_category": "home", "applied_at": NOW}
    for theirs in (0, 2):
        tables: Tables = {
            "customers": [{"customer_id": one, "registered_at": START} for one in range(3)],
            "orders": [
                {"order_id": one, "customer_id": one, "ordered_at": NOW - DAY, "amount": 100} for one in range(3)
            ],
            "applications": [
                loan | {"application_id": one, "customer_id": one, "order_id": theirs if one == 1 else None}
                for one in range(3)
            ],
            "instalments": [],
        }
        found = computed(tables)
        assert [found[one]["orders_30d"] for one in range(3)] == [1, 1, 1]
        assert [found[one]["days_since_last_order"] for one in range(3)] == [1, 1, 1]


def test_an_instalment_is_overdue_until_it_is_paid_in_full() -> None:
    due = {"due_at": NOW - 50 * DAY, "due_amount": 3_000}
    part = one_customer(instalments=[due | {"paid_at": NOW - 45 * DAY, "paid_amount": 2_999}])
    assert (part["overdue"], part["owed"], part["reached_30_dpd_90d"], part["late_share_90d"]) == (3_000, 3_000, 1, 1)
    paid = one_customer(instalments=[due | {"paid_at": NOW - 45 * DAY, "paid_amount": 3_000}])
    assert (paid["overdue"], paid["owed"], paid["reached_30_dpd_90d"], paid["mean_days_late_90d"]) == (0, 0, 0, 5)
    early = one_customer(instalments=[due | {"paid_at": NOW - 60 * DAY, "paid_amount": 3_000}])
    assert (early["overdue"], early["owed"], early["late_share_90d"]) == (0, 0, 0)


def test_hours_are_those_of_the_shoppers_clocks_in_summer_and_winter() -> None:
    # New York: 05:30 and 06:30 on either side of the change of 10 March 2024 are 10:30 UTC.
    winter, summer = datetime(2024, 3, 9, 10, 30), datetime(2024, 3, 11, 10, 30)
    row = {"customer_id": 1, "principal": 1, "term": 3}
    tables: Tables = {
        "customers": [],
        "instalments": [],
        "orders": [
            {"order_id": 1, "customer_id": 1, "ordered_at": winter, "amount": 1},
            {"order_id": 2, "customer_id": 1, "ordered_at": summer, "amount": 1},
        ],
        "applications": [
            row | {"application_id": 1, "applied_at": winter + DAY},
            row | {"application_id": 2, "applied_at": summer + DAY},
        ],
    }
    found = computed(tables)
    assert [found[one]["night_share_30d"] for one in (1, 2)] == [1, 0.5]


def test_nobody_and_nothing_give_features_too() -> None:
    alone = one_customer()
    assert (alone["orders_365d"], alone["owed"], alone["days_since_registration"]) == (0, 0, 400)
    assert math.isnan(alone["mean_order_365d"])
    assert computed({"customers": [], "orders": [], "applications": [], "instalments": []}) == {}


def test_equal_amounts_have_no_deviation_however_large() -> None:
    orders = [{"ordered_at": NOW - day * DAY, "amount": 999_999_937} for day in (1, 2, 3)]
    assert one_customer(*orders)["order_deviation_30d"] == 0


def test_amounts_that_cannot_be_squared_exactly_are_refused() -> None:
    orders = [{"ordered_at": NOW - DAY, "amount": 10**9} for _ in range(5)]
    with pytest.raises(DataError, match=r"squares .* less than 2\^62, received 5e\+18 .*; state money in a larger"):
        one_customer(*orders)


def test_more_customers_than_fit_on_one_line_of_time_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = random_tables(5)
    whole = computed(tables)
    monkeypatch.setattr("pipelines.features.running_sums.Clock.most_customers", 2)
    assert repr(sorted(computed(tables).items())) == repr(sorted(whole.items()))
