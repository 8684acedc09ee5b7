"""CDNOW's file, line by line, and the published size of it."""

from datetime import datetime
from pathlib import Path

import pytest

from pipelines.errors import DataError
from tests.evidence.purchase_logs.cdnow import read_cdnow
from tests.evidence.purchase_logs.conformance import assert_keeps_the_contract
from tests.evidence.purchase_logs.purchase_log import shipped


def test_the_file_has_the_customers_and_transactions_of_fader_and_hardie() -> None:
    # Fader and Hardie, Notes on the CDNOW Master Data Set (2001): 23,570 customers, 69,659 transactions
    orders = read_cdnow().orders
    assert_keeps_the_contract(orders)
    assert (orders.num_rows, len(set(orders["customer_id"].to_pylist()))) == (69_659, 23_570)
    days = orders["ordered_at"].to_pylist()
    assert (days[0], days[-1]) == (datetime(1997, 1, 1), datetime(1998, 6, 30))


def test_every_line_is_an_order_in_cents() -> None:
    path = shipped("lifetimes", "lifetimes/datasets/CDNOW_master.txt")
    lines = [line.split() for line in path.read_text().splitlines()[1:]]
    expected = {
        number: (int(customer), datetime.strptime(day, "%Y%m%d"), int(dollars.replace(".", "")))
        for number, (customer, day, _, dollars) in enumerate(lines, start=1)
    }
    found = read_cdnow().orders.to_pydict()
    rows = zip(found["customer_id"], found["ordered_at"], found["amount"], strict=True)
    assert dict(zip(found["order_id"], rows, strict=True)) == expected


def test_nothing_is_left_out_of_a_small_file(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_text("customer_id date number_of_cds dollar_value\n 00002 19970112  1   12.00\n 1 19970101 2 0.07\n")
    log = read_cdnow(file)
    assert log.left_out == {}
    assert log.orders.to_pylist() == [
        {"order_id": 2, "customer_id": 1, "ordered_at": datetime(1997, 1, 1), "amount": 7},
        {"order_id": 1, "customer_id": 2, "ordered_at": datetime(1997, 1, 12), "amount": 1200},
    ]


@pytest.mark.parametrize(
    "content", ["header\n1 19970101\n", "header\n1 1997-01-01 1 2.00\n", "header\nx 19970101 1 2.00\n"]
)
def test_another_file_is_told(content: str, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(content)
    with pytest.raises(DataError, match=r"'.*log.txt' cannot be read as this purchase log \(.*\); check the file"):
        read_cdnow(tmp_path / "log.txt")
