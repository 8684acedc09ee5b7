"""A Delta table is read at one of its versions, and rows that a version removed are not read."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from pipelines.errors import ConfigurationError, DataError
from pipelines.marketplace.opened_raw import opened_raw
from pipelines.marketplace.settings import RawSettings
from pipelines.reading.files import file_fingerprints, find_files
from pipelines.reading.locations import opened_location
from pipelines.reading.settings import ReadingSettings
from pipelines.reading.tables import read_table


@pytest.fixture
def loans(tmp_path: Path) -> Path:
    """A table whose version 0 has three loans, 1 has five and 2 lacks the loan b."""
    path = tmp_path / "raw" / "loans"
    first = pa.table({"id": ["a", "b", "c"], "amount": [10, 20, None], "month": ["2026-01", "2026-01", "2026-02"]})
    write_deltalake(str(path), first, partition_by=["month"])
    more = pa.table({"id": ["d", "e"], "amount": [40, 50], "month": ["2026-02"] * 2, "channel": ["web", "app"]})
    write_deltalake(str(path), more, mode="append", schema_mode="merge")
    DeltaTable(str(path)).delete("id = 'b'")
    return path


def rows_at(location: str, root: Path) -> pa.Table:
    with opened_location(location, root) as path:
        return read_table(path, ReadingSettings(), root)


def test_the_latest_version_is_read_without_removed_rows(loans: Path, tmp_path: Path) -> None:
    table = rows_at(str(loans), tmp_path / "scratch")
    assert sorted(table["id"].to_pylist()) == ["a", "c", "d", "e"]
    assert dict(zip(table["id"].to_pylist(), table["channel"].to_pylist(), strict=True))["a"] is None
    assert {*table["month"].to_pylist()} == {"2026-01", "2026-02"}


@pytest.mark.parametrize(("version", "ids"), [(0, "abc"), (1, "abcde"), (2, "acde")])
def test_a_version_is_named_and_has_the_same_rows_in_the_same_order_again(
    loans: Path, tmp_path: Path, version: int, ids: str
) -> None:
    location = f"{loans}?version={version}"
    tables = [rows_at(location, tmp_path / "scratch") for _ in range(4)]
    assert sorted(tables[0]["id"].to_pylist()) == [*ids]
    assert all(table.equals(tables[0]) for table in tables[1:])
    with opened_location(location, tmp_path / "scratch") as path:
        assert [*file_fingerprints(path)] == [f"loans version {version}.parquet"]


def test_versions_that_do_not_exist_are_refused(loans: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^data.path is '.*/loans', a Delta table that cannot be read at version 9"):
        rows_at(f"{loans}?version=9", tmp_path)
    (tmp_path / "plain").mkdir()
    with pytest.raises(DataError, match=r"^data.path is 'memory://plain\?version=1', which is not a Delta table"):
        rows_at("memory://plain?version=1", tmp_path)


def test_a_delta_table_is_not_read_as_a_folder_of_parquet_files(
    loans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"loans' is a Delta table, whose files are those of all its versions"):
        find_files(loans)
    monkeypatch.setitem(__import__("sys").modules, "deltalake", None)
    with pytest.raises(ConfigurationError, match=r"deltalake is not installed; pip install 'thinfile\[delta\]'$"):
        rows_at(str(loans), tmp_path)


@pytest.mark.parametrize("path", [None, "orders"])
def test_a_raw_table_is_a_delta_table_of_the_folder(tmp_path: Path, path: str | None) -> None:
    folder = tmp_path / "raw"
    write_deltalake(str(folder / "orders"), pa.table({"order_id": [1, 2]}))
    raw = RawSettings(folder=str(folder))
    raw.tables.orders.path = path
    with opened_raw(raw, tmp_path / "scratch") as opened:
        assert opened.tables.customers.path is None
        table = read_table(Path(str(opened.tables.orders.path)), ReadingSettings(), tmp_path)
    assert table["order_id"].to_pylist() == [1, 2]


def test_a_delta_table_of_a_bucket_is_read(bucket: "object", loans: Path, tmp_path: Path) -> None:
    address = bucket.put(loans, "lake/loans")  # type: ignore[attr-defined]
    assert rows_at(address, tmp_path / "a").equals(rows_at(str(loans), tmp_path / "b"))
    assert rows_at(f"{address}?version=0", tmp_path / "a").equals(rows_at(f"{loans}?version=0", tmp_path / "b"))
