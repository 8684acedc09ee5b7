"""Which files a table is, and what their fingerprint follows."""

import gzip
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.engine.duckdb_engine import in_memory
from pipelines.marketplace.raw_files import as_parquet, find_files, fingerprint_of
from pipelines.marketplace.settings import RawSettings, TableMapping, TableMappings


def a_folder(tmp_path: Path, *names: str) -> RawSettings:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return RawSettings(folder=str(tmp_path))


@pytest.mark.parametrize(
    ("lying", "found"),
    [
        (["orders.csv"], ["orders.csv"]),
        (["orders.parquet", "orders.csv"], ["orders.parquet"]),
        (["orders/b.PARQUET", "orders/a.parquet"], ["a.parquet", "b.PARQUET"]),
        (["orders/2024/x.csv", "orders/2023/y.csv"], ["y.csv", "x.csv"]),
        (["orders/a.csv", "orders/_SUCCESS", "orders/_temporary/b.csv", "orders/.c.csv", "orders/a.txt"], ["a.csv"]),
    ],
)
def test_files_of_a_table(lying: list[str], found: list[str], tmp_path: Path) -> None:
    assert [path.name for path in find_files(a_folder(tmp_path, *lying), "orders").paths] == found


def test_a_path_may_lie_elsewhere(tmp_path: Path) -> None:
    a_folder(tmp_path, "raw/a.csv", "elsewhere/b.csv")
    for path, name in (("a.csv", "a.csv"), (str(tmp_path / "elsewhere"), "b.csv")):
        raw = RawSettings(str(tmp_path / "raw"), tables=TableMappings(orders=TableMapping(path=path)))
        assert [found.name for found in find_files(raw, "orders").paths] == [name]


def test_the_fingerprint_follows_bytes_not_names(tmp_path: Path) -> None:
    one = find_files(a_folder(tmp_path / "one", "orders/a.csv", "orders/b.csv"), "orders")
    raw = a_folder(tmp_path / "two", "orders/x.csv", "orders/y.csv")
    (tmp_path / "two/orders/x.csv").write_text("orders/b.csv")
    (tmp_path / "two/orders/y.csv").write_text("orders/a.csv")
    assert fingerprint_of(one, 1) == fingerprint_of(find_files(raw, "orders"), 2)
    (tmp_path / "two/orders/y.csv").write_text("orders/a.csV")
    assert fingerprint_of(one, 1) != fingerprint_of(find_files(raw, "orders"), 2)


def test_text_files_are_divided_as_is_declared_and_partitions_are_columns(tmp_path: Path) -> None:
    (tmp_path / "orders" / "shop=berlin").mkdir(parents=True)
    with gzip.open(tmp_path / "orders" / "shop=berlin" / "a.csv.gz", "wt", encoding="latin-1") as file:
        file.write("1;Müller;\n2;;\n")
    mapping = TableMapping(delimiter=";", encoding="latin-1", header=False, names=["order_id", "name"])
    raw = RawSettings(str(tmp_path), tables=TableMappings(orders=mapping))
    with in_memory() as connection:
        (part,) = as_parquet(connection, find_files(raw, "orders"), tmp_path / "scratch")
    assert pq.read_table(part, partitioning=None).to_pylist() == [
        {"order_id": "1", "name": "Müller", "shop": "berlin"},
        {"order_id": "2", "name": None, "shop": "berlin"},
    ]


def test_a_delimiter_of_all_tables_is_set_once(tmp_path: Path) -> None:
    raw = RawSettings(str(a_folder(tmp_path, "orders.csv").folder), delimiter=";")
    assert (find_files(raw, "orders").text.delimiter, find_files(raw, "orders").group) == (";", "raw")
