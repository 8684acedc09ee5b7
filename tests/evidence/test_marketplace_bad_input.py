"""Bad tables of a marketplace, through the command: one clear message, exit code 2, nothing half-written."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

import thinfile
from tests.evidence.conftest import Evidence
from tests.pipelines.marketplace.shop import Tables, a_shop, lay, with_cell, with_column

Change = Callable[[Tables], Tables]


def _unknown_customers(shop: Tables) -> Tables:
    return with_column(shop, "orders", "customer_id", pa.array(range(1_000, 1_040), pa.int64()))


def _paid_years_before(shop: Tables) -> Tables:
    paid = [due.as_py() - timedelta(days=4 * 365) for due in shop["instalments"]["due_at"]]
    return with_column(shop, "instalments", "paid_at", pa.array(paid, pa.timestamp("us")))


def _without_instalments(shop: Tables) -> Tables:
    return shop | {"instalments": shop["instalments"].slice(0, 3)}


def _two_currencies(shop: Tables) -> Tables:
    return with_cell(with_column(shop, "orders", "currency", "EUR"), "orders", "currency", 3, "USD")


CASES: dict[str, tuple[Change, list[str], str]] = {
    "orders for unknown customers": (
        _unknown_customers,
        [],
        r"40 of 40 rows of orders.*customer_id is not in the clean customers",
    ),
    "paid before due by years": (_paid_years_before, [], r"instalments.*paid_at is (more than 25 months )?before"),
    "negative terms": (
        lambda shop: with_column(shop, "applications", "term", pa.array([-3] * 20, pa.int32())),
        [],
        r"20 of 20 rows of applications.*term is not one of 3, 6, 12, 24 months",
    ),
    "applications without instalments": (_without_instalments, [], r"applications.*has no instalments"),
    "a time zone missing": (lambda shop: shop, ["raw.time_zone=null"], r"raw.time_zone is not set; add raw.time_zone"),
    "two currencies": (_two_currencies, [], r"currenc.*EUR.*USD"),
    "an as-of date before the first application": (
        lambda shop: shop,
        ["loan.as_of=2020-01-01"],
        r"loan.as_of=2020-01-01 is before the first application",
    ),
    "an as-of date long after the last event": (
        lambda shop: shop,
        ["loan.as_of=2024-12-31"],
        r"=2024-12-31 is .*event is from 2024-07-28 \(paid_at of instalments\).*; use loan.as_of=2024-07-29",
    ),
    "truncated Parquet": (lambda shop: shop, [], r"orders.parquet.*"),
    "an unknown zone of the shoppers": (
        lambda shop: shop,
        ["features.time_zone=Berlin"],
        r"features.time_zone must be an IANA name, received 'Berlin'",
    ),
    "no threads": (lambda shop: shop, ["threads=0"], r"threads is 0; set at least 1"),
    "words for memory": (lambda shop: shop, ["memory=lots"], r"memory is 'lots'; write a size such as 4GB"),
    "no window": (lambda shop: shop, ["features.windows=[]"], r"features.windows must be different numbers of days"),
    "an unknown thing to say": (lambda shop: shop, ["features.what=[amounts]"], r"features.what.*amounts"),
}


def test_bad_tables_are_told_once_and_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], evidence: Evidence
) -> None:
    wrong = {case: told for case in CASES if (told := _wrong(case, tmp_path / case.replace(" ", "-"), capsys))}
    evidence.record(
        "20-marketplace-bad-input",
        claim="bad tables of a marketplace: one clear message, exit code 2, nothing half-written",
        value=f"{len(CASES) - len(wrong)} of {len(CASES)} cases",
        bound="all",
        holds=not wrong,
    )
    assert wrong == {}


def _wrong(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what is wrong with the answer to a case; nothing when all is as it should be."""
    change, overrides, message = CASES[case]
    raw, workspace = lay(change(a_shop()), folder / "raw"), folder / "workspace"
    if case == "truncated Parquet":
        path = raw / "orders.parquet"
        path.write_bytes(path.read_bytes()[:-100])
    words = [f"raw.folder={raw}", f"workspace={workspace}", "loan=dpd30_at_3_mob", "loan.as_of=2024-08-01"]
    capsys.readouterr()
    code = thinfile.main(["prepare", *words, *overrides])
    told = capsys.readouterr()
    errors = [line for line in told.err.splitlines() if line.startswith("error: ")]
    left = [str(path.relative_to(workspace)) for path in workspace.rglob("*") if path.is_file()]
    is_told = code == 2 and told.out == "" and len(errors) == 1 and bool(re.search(message, errors[0]))
    # An intake that was whole stays for the next command; the lock holds nothing.
    whole = (
        "lake/marketplace/clean",
        "lake/marketplace/quarantine",
        "lake/marketplace/intake.json",
        "lake/.marketplace.lock",
    )
    return "" if is_told and all(path.startswith(whole) for path in left) else f"{code} {told.err} {left}"
