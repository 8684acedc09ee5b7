"""Online Retail's invoices against pandas, the published size, and a small file worked by hand."""

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from pipelines.errors import DataError
from tests.evidence.purchase_logs.conformance import assert_keeps_the_contract
from tests.evidence.purchase_logs.online_retail import read_online_retail

ONLINE_RETAIL = Path(__file__).resolve().parents[4] / "shared" / "data" / "online_retail.parquet"


@pytest.mark.skipif(not ONLINE_RETAIL.is_file(), reason=f"no {ONLINE_RETAIL.name} beside the repository")
def test_the_lines_of_an_invoice_become_one_order() -> None:
    log, lines = read_online_retail(ONLINE_RETAIL), pd.read_parquet(ONLINE_RETAIL)
    assert_keeps_the_contract(log.orders)
    # given the published size: 541,909 lines, 4,372 customers, a quarter of the lines without one
    assert (len(lines), lines["customer_id"].nunique()) == (541_909, 4_372)
    assert log.left_out["lines without a customer"] == lines["customer_id"].isna().sum() == 135_080
    # then each invoice that is no cancellation is an order
    known = lines.dropna(subset="customer_id")
    cancelled = known["invoice_no"].str.startswith("C")
    invoices = known[~cancelled].assign(value=lambda table: table["quantity"] * table["unit_price"])
    sums = invoices.groupby("invoice_no").agg(value=("value", "sum"), at=("invoiced_at", "min"))
    orders = log.orders.to_pandas().set_index("order_id").sort_index()
    assert list(orders.index) == list(sums.index)
    assert (orders["amount"] - 100 * sums["value"]).abs().max() < 0.5001
    assert (orders["ordered_at"] == sums["at"]).all()
    # and each cancelled line went to the latest earlier invoice with the same goods, the first to an order counting
    sold = invoices.sort_values(["invoiced_at", "invoice_no"]).drop_duplicates(
        ["customer_id", "stock_code", "invoiced_at"], keep="last"
    )
    back = pd.merge_asof(
        known[cancelled].sort_values("invoiced_at")[["invoiced_at", "customer_id", "stock_code"]],
        sold[["invoiced_at", "customer_id", "stock_code", "invoice_no"]],
        on="invoiced_at",
        by=["customer_id", "stock_code"],
        allow_exact_matches=False,
    )
    assert log.left_out["cancelled lines without an earlier order"] == back["invoice_no"].isna().sum()
    returned = back.groupby("invoice_no")["invoiced_at"].min()
    assert orders["returned_at"].dropna().to_dict() == returned.to_dict()


def small_log(folder: Path) -> Path:
    rows = [
        ("1", "A", 2, 0.055, 1, "2011-01-01 10:00"),
        ("1", "B", 1, 3.00, 1, "2011-01-01 10:01"),  # an invoice that was written over two minutes
        ("2", "A", 1, 0.05, 1, "2011-01-02 10:00"),
        ("3", "B", 1, 3.00, 2, "2011-01-01 09:00"),
        ("4", "A", 5, 1.00, None, "2011-01-01 09:00"),
        ("C5", "A", -1, 0.05, 1, "2011-01-03 10:00"),  # back to 2, the latest before
        ("C6", "A", -1, 0.05, 1, "2011-01-01 12:00"),  # back to 1
        ("C7", "B", -1, 3.00, 1, "2011-01-04 10:00"),  # back to 1, which already had something taken back
        ("C8", "B", -1, 3.00, 2, "2011-01-01 09:00"),  # at the very time of 3: not earlier
        ("C9", "D", -1, 9.00, 1, "2011-01-05 10:00"),  # nobody was sold a D
        ("C9", "A", -1, 0.05, 2, "2011-01-05 10:00"),  # sold to another customer
    ]
    names = ["invoice_no", "stock_code", "quantity", "unit_price", "customer_id", "invoiced_at"]
    table = pd.DataFrame(rows, columns=names).astype({"customer_id": "Int64", "invoiced_at": "datetime64[us]"})
    table.to_parquet(folder / "log.parquet")
    return folder / "log.parquet"


def test_a_small_log_worked_by_hand(tmp_path: Path) -> None:
    log = read_online_retail(small_log(tmp_path))
    assert log.left_out == {"lines without a customer": 1, "cancelled lines without an earlier order": 3}
    assert [list(row.values()) for row in log.orders.to_pylist()] == [
        ["3", 2, datetime(2011, 1, 1, 9), 300, None],
        ["1", 1, datetime(2011, 1, 1, 10), 311, datetime(2011, 1, 1, 12)],
        ["2", 1, datetime(2011, 1, 2, 10), 5, datetime(2011, 1, 3, 10)],
    ]


def test_another_file_is_told(tmp_path: Path) -> None:
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "log.parquet")
    with pytest.raises(DataError, match=r"'.*log.parquet' cannot be read as this purchase log \(.*\); check the file"):
        read_online_retail(tmp_path / "log.parquet")
    with pytest.raises(DataError, match=r"must be a file, found none at '.*nowhere'; correct the path"):
        read_online_retail(tmp_path / "nowhere")
