"""Erased people are left out of tables that are read later."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipelines.applications.applications import load_applications
from pipelines.applications.settings import DataSettings, Source
from pipelines.erasure.erase import erase
from pipelines.erasure.settings import EraseSettings
from pipelines.erasures.erased_rows import ErasedRows
from pipelines.erasures.record import BEGUN, Erasures, read_erasures
from pipelines.erasures.salt import Kind, ensure_salt, hashed, hashed_in_sql
from pipelines.marketplace.intake import run_intake
from pipelines.storage.chain import Chain
from pipelines.storage.workspace import Workspace
from tests.pipelines.marketplace.shop import BUCKETS, a_shop, lay
from tests.pipelines.marketplace.shop import settings as raw_settings


def test_the_hash_in_sql_is_that_of_python(workspace: Workspace) -> None:
    import duckdb

    salt = ensure_salt(workspace)
    assert salt == ensure_salt(workspace)
    found = duckdb.sql(f"select {hashed_in_sql(salt, Kind.customer, 'id')} from (values ('ä 7')) t(id)").fetchall()
    assert found == [(hashed(salt, Kind.customer, "ä 7"),)]


def erased_of(workspace: Workspace, *customers: str) -> Erasures:
    salt = ensure_salt(workspace)
    chain = Chain(workspace, "erasures")
    for number, one in enumerate(customers):
        said = {"action": BEGUN, "customer": hashed(salt, Kind.customer, one), "applications": [], "decisions": []}
        chain.append(said | {"by": "anna", "why": ""}, after=number)
    return read_erasures(workspace)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_who_was_erased_is_left_out_of_the_next_intake(suffix: str, workspace: Workspace, tmp_path: Path) -> None:
    raw, into = raw_settings(lay(a_shop(), tmp_path / "raw", suffix)), tmp_path / "into"
    how: dict[str, Any] = {"buckets": BUCKETS, "threads": 2, "memory_limit": "1GB"}
    everybody = run_intake(raw, tmp_path / "all", **how).tables
    left = run_intake(raw, into, **how, erasures=erased_of(workspace, "5", "7")).tables
    shop = {name: table.to_pandas() for name, table in a_shop().items()}
    theirs = shop["applications"].loc[shop["applications"]["customer_id"].isin([5, 7]), "application_id"]
    expected = {name: int(shop[name]["customer_id"].isin([5, 7]).sum()) for name in ("customers", "orders")}
    expected |= {name: int(shop[name]["application_id"].isin(theirs).sum()) for name in ("applications", "instalments")}
    assert {name: table.erased for name, table in left.items()} == expected
    assert {name: table.clean + table.erased for name, table in left.items()} == {
        name: table.clean for name, table in everybody.items()
    }
    assert all(table.rows == table.clean for table in left.values())
    for path in (into / "clean").rglob("*.parquet"):
        rows = pq.read_table(path, partitioning=None).to_pandas()
        if "customer_id" in rows:
            assert not rows["customer_id"].astype(str).isin(["5", "7"]).any()


def test_who_was_erased_is_left_out_of_a_table_and_counted(workspace: Workspace, tmp_path: Path) -> None:
    table = pd.DataFrame({"customer_id": [5, 6, 7, 8], "id": list("abcd"), "x": [1.0, 2.0, 3.0, 4.0]})
    table.to_parquet(tmp_path / "t.parquet")
    data = DataSettings(source=Source.table, path=str(tmp_path / "t.parquet"), id="id", ignored=["customer_id"])
    before = load_applications(data, workspace, labelled=False)
    erased_of(workspace, "5", "7")
    after = load_applications(data, workspace, labelled=False)
    assert (list(after.ids), after.erased, before.erased) == (["b", "d"], 2, 0)
    assert after.fingerprint_with_erased == before.fingerprint
    assert after.fingerprint != before.fingerprint


def test_rows_are_known_by_application_where_they_name_no_customer(workspace: Workspace) -> None:
    salt = ensure_salt(workspace)
    hashes = {kind: frozenset({hashed(salt, kind, "5")}) for kind in Kind}
    returning = ErasedRows(Erasures(salt, (object(),), hashes))  # type: ignore[arg-type]
    customers, applications = np.array(["5", "6", None, None], object), np.array(["1", "5", "5", "6"], object)
    assert returning.rows(customers, applications).tolist() == [True, False, True, False]
    assert returning.rows(applications=applications).tolist() == [False, True, True, False]


@pytest.mark.parametrize(("erased", "customers"), [("5", 1), ("0000005", 0), ("5.0", 0)])
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_an_intake_leaves_out_the_exact_id(
    erased: str, customers: int, suffix: str, workspace: Workspace, tmp_path: Path
) -> None:
    workspace.root.mkdir(exist_ok=True)
    erase(EraseSettings(workspace=str(workspace.root), customer=erased))
    raw = raw_settings(lay(a_shop(), tmp_path / "raw", suffix))
    how: dict[str, Any] = {"buckets": BUCKETS, "threads": 2, "memory_limit": "1GB"}
    tables = run_intake(raw, tmp_path / "into", **how, erasures=read_erasures(workspace)).tables
    assert tables["customers"].erased == customers
