"""Distributions against numpy on orders drawn at random, and a few orders worked by hand."""

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from tests.evidence.purchase_logs.cdnow import read_cdnow
from tests.evidence.purchase_logs.distributions import PROBABILITIES, distributions

MEDIAN = PROBABILITIES.index(0.5)


def orders_of(*rows: tuple[int, str, int, str | None]) -> pa.Table:
    """Return orders: customer, time, amount, time of return."""
    customers, times, amounts, returns = zip(*rows, strict=True) if rows else ((),) * 4
    moments = [[datetime.fromisoformat(one) if one else None for one in column] for column in (times, returns)]
    return pa.table(
        {
            "order_id": pa.array(range(len(rows)), pa.int64()),
            "customer_id": pa.array(customers, pa.int64()),
            "ordered_at": pa.array(moments[0], pa.timestamp("us")),
            "amount": pa.array(amounts, pa.int64()),
            "returned_at": pa.array(moments[1], pa.timestamp("us")),
        }
    )


def test_a_few_orders_worked_by_hand() -> None:
    orders = orders_of(
        (1, "2024-01-01T23:00", 100, None),
        (1, "2024-01-02T01:00", 300, "2024-01-09"),  # the next day, two hours later
        (1, "2024-01-02T05:00", 500, None),  # the same day of purchase
        (1, "2024-01-11T05:00", 700, None),
        (2, "2024-01-05T00:00", 900, None),
    )
    found = distributions(orders, np.datetime64("2024-01-05T12:00"))
    assert found.interval_days[MEDIAN] == 5  # of 1 and 9
    assert found.orders_per_customer[MEDIAN] == 2.5  # of 4 and 1
    assert found.order_value[MEDIAN] == 500
    assert found.recency_days[MEDIAN] == pytest.approx((3 + 7 / 24 + 0.5) / 2)
    assert found.return_share == 0.2


def test_an_order_at_the_very_moment_is_not_before_it() -> None:
    orders = orders_of((1, "2024-01-01", 1, None), (1, "2024-01-03", 1, None))
    assert distributions(orders, np.datetime64("2024-01-03")).recency_days.tolist() == [2.0] * len(PROBABILITIES)


def test_recency_is_measured_in_the_middle_unless_said_otherwise() -> None:
    orders = orders_of((1, "2024-01-01", 1, None), (2, "2024-01-02", 1, None), (3, "2024-01-11", 1, None))
    assert distributions(orders).recency_days[MEDIAN] == 4.5  # on 6 January, of 5 and 4


def test_numpy_agrees_on_random_orders() -> None:
    generator = np.random.default_rng(0)
    start, at = datetime(2024, 1, 1), datetime(2024, 5, 1)
    rows = sorted(
        (int(generator.zipf(1.6)) % 50, start + timedelta(minutes=int(generator.integers(300_000))), int(amount))
        for amount in generator.lognormal(8, 1, 2_000)
    )
    found = distributions(orders_of(*((who, str(when), amount, None) for who, when, amount in rows)), np.datetime64(at))
    histories = [[when for one, when, _ in rows if one == who] for who in {who for who, _, _ in rows}]
    days = [sorted({when.date() for when in history}) for history in histories]
    expected = {
        "interval_days": [(b - a).days for one in days for a, b in pairwise(one)],
        "orders_per_customer": [len(history) for history in histories],
        "order_value": [amount for _, _, amount in rows],
        "recency_days": [
            (at - max(before)) / timedelta(days=1)
            for history in histories
            if (before := [when for when in history if when < at])
        ],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(found, name), np.quantile(values, PROBABILITIES), rtol=1e-12)
    assert found.return_share == 0


def test_what_a_log_does_not_say_is_not_a_number() -> None:
    assert np.isnan(distributions(read_cdnow().orders).return_share)
    empty = distributions(orders_of())
    assert all(np.isnan(value).all() for value in vars(empty).values())
