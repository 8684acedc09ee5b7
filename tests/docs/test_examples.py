"""The worked examples of docs/own_marketplace.md prepare files as the page describes them."""

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import Answer
from tests.docs.commands import ROOT, blocks, words_of
from tests.docs.example_files import LOANS, write_lender, write_shop

COMMANDS = [words_of(command) for block in blocks() if block.is_run for command in block.commands]


@pytest.fixture
def prepared(thinfile: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Return the command of the page that reads a file of its examples, in a folder with the example's data."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "docs" / "examples", "examples")
    write_lender(Path("lender"))
    write_shop(Path("shop"))

    def run(name: str, *more: str) -> Answer:
        words = next(words for words in COMMANDS if f"raw={name}" in words and "check=true" not in words)
        return thinfile(*words[1:], *more, "threads=1", "output=json")

    return run


def test_the_pay_later_lender(prepared: Callable[..., Answer], tmp_path: Path) -> None:
    answer = prepared("lender").json
    assert answer["rows"]["applications"] == {"rows": LOANS, "clean": LOANS, "quarantined": {}}
    assert answer["copies"] == {"customers": 0, "orders": 20, "applications": 0, "instalments": 0}
    unpaid = set(pd.read_csv("lender/dues.csv")["loan"]) - set(pd.read_csv("lender/paybacks.csv")["loan"])
    assert answer["bad"] == len(unpaid)


def test_the_shop_with_order_lines(prepared: Callable[..., Answer], tmp_path: Path) -> None:
    answer = prepared("shop").json
    lines = pd.read_csv("shop/lines.csv", dtype={"unit_price": str})
    assert answer["customers"] == lines["customer"].nunique()
    bought = lines[lines["quantity"] > 0]
    spent = sum(Decimal(price) * int(n) for price, n in zip(bought["unit_price"], bought["quantity"], strict=True))
    clean = pd.concat(map(pd.read_parquet, Path().glob("**/shop/clean/orders/bucket=*/*.parquet")))
    assert clean["amount"].sum() == int(spent * 100)
    assert len(clean) == bought["invoice"].nunique()


def test_a_bank_joins_the_shops_purchases_to_its_own_applications(prepared: Callable[..., Answer]) -> None:
    answer = prepared("bank").json
    asked = pd.read_csv("shop/asked.csv", dtype={"application": str})
    joined = pd.read_parquet(answer["path"])
    assert (joined["application"] == asked["application"]).all()
    lines = pd.read_csv("shop/lines.csv", parse_dates=["invoiced"])
    bought = lines[lines["quantity"] > 0].groupby("invoice").agg({"customer": "first", "invoiced": "min"})
    at = pd.to_datetime(asked["asked_on"], format="%d.%m.%Y %H:%M")
    for row in range(0, len(asked), 97):
        mine = bought[bought["customer"] == asked["client"][row]]["invoiced"]
        expected = ((mine < at[row]) & (mine >= at[row] - pd.Timedelta(days=180))).sum()
        assert abs(joined["orders_180d"][row] - expected) <= 1  # summer time moves an hour at the window's edge
