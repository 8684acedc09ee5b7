"""A year of a log between the real ones: cut, scaled and compared as one would by hand."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.errors import DataError
from tests.evidence.purchase_logs.distributions import PROBABILITIES, Distributions
from tests.evidence.purchase_logs.real_logs import ONLINE_RETAIL, real_logs
from tests.evidence.purchase_logs.realism import compare, last_year, returns_of, year_of
from tests.evidence.purchase_logs.test_distributions import orders_of
from tests.evidence.purchase_logs.test_online_retail import small_log

MEDIAN = PROBABILITIES.index(0.5)


def constant(value: float, returned: float = np.nan) -> Distributions:
    """Return distributions of which every quantile is the same."""
    values = np.full(len(PROBABILITIES), value)
    return Distributions(values, values, values, values, returned)


def test_a_year_ends_with_the_last_order_and_begins_after_the_same_moment_a_year_before() -> None:
    orders = orders_of(
        (1, "2023-03-01T12:00", 1, None), (1, "2023-03-01T12:01", 2, None), (2, "2024-02-29T12:00", 3, None)
    )
    assert last_year(orders)["ordered_at"].to_pylist() == [datetime(2023, 3, 1, 12, 1), datetime(2024, 2, 29, 12)]


def test_a_year_worked_by_hand() -> None:
    # given a customer of long ago, whose orders are outside, and two who order at the end and 75 days before it
    orders = orders_of(
        (9, "2020-01-01", 10**6, "2020-02-01"), (9, "2020-01-02", 10**6, None),
        (1, "2024-10-17", 100, None), (2, "2024-10-17", 200, "2024-10-20"), (1, "2024-12-31", 600, None),
    )  # fmt: skip
    found = year_of(orders)
    assert found.orders_per_customer[MEDIAN] == 1.5
    assert found.interval_days.tolist() == [75] * len(PROBABILITIES)
    assert found.order_value[[0, -1]] == pytest.approx([0.55, 2.96])  # 110 and 592 over the median, 200
    # 75 days at the end (an order at that very moment is not before it), 45 and 15 at the earlier dates, of two each
    assert found.recency_days[MEDIAN] == 45
    assert found.return_share == pytest.approx(1 / 3)


def test_ends_belong_to_the_range_and_what_is_outside_does_not() -> None:
    real = {"one": constant(1.0), "other": constant(3.0)}
    for value, expected in {0.999: False, 1.0: True, 2.0: True, 3.0: True, 3.001: False, np.nan: False}.items():
        found = compare(real, constant(value))
        assert {one.sits_among for one in found} == {expected}
        assert len(found) == 4 * len(PROBABILITIES) - 1  # the median order value is 1 in every log
    for share, expected in {0.01: False, 0.05: True, np.nan: False}.items():
        assert compare(real, constant(2.0, share), (0.02, 0.17))[-1].sits_among is expected


def test_shares_of_returns_worked_by_hand(tmp_path: Path) -> None:
    # given four lines of three orders of known customers; three lines came back that had been sold, to two orders
    assert returns_of(small_log(tmp_path)) == (3 / 4, 2 / 3)
    with pytest.raises(DataError, match="must be a file"):
        returns_of(tmp_path / "nowhere")


@pytest.mark.skipif(not ONLINE_RETAIL.is_file(), reason=f"no {ONLINE_RETAIL.name} beside the repository")
def test_shares_of_returns_are_those_of_the_log() -> None:
    of_lines, of_orders = returns_of(ONLINE_RETAIL)
    lines = pd.read_parquet(ONLINE_RETAIL).dropna(subset="customer_id")
    cancelled = lines["invoice_no"].str.startswith("C")
    assert 0.85 * cancelled.sum() / (~cancelled).sum() < of_lines < cancelled.sum() / (~cancelled).sum()
    orders = real_logs()["Online Retail"]
    assert of_orders == pytest.approx(1 - orders["returned_at"].null_count / len(orders))
