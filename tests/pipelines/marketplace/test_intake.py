"""A folder of tables taken in: what is clean, where it lies, and how it was written."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.marketplace.buckets import bucket_files
from pipelines.marketplace.settings import RawSettings, TableMapping, TableMappings
from pipelines.marketplace.tables import CONTRACTS
from tests.pipelines.marketplace.shop import (
    BUCKETS,
    a_shop,
    clean,
    days,
    intake_of,
    lay,
    quarantined,
    settings,
    taken_in,
    with_cell,
    with_column,
)

NAMES = [contract.name for contract in CONTRACTS]


def test_tables_that_keep_every_rule_are_clean_and_whole(tmp_path: Path) -> None:
    shop = a_shop()
    taken = intake_of(shop, tmp_path)
    for contract in CONTRACTS:
        found, given = clean(tmp_path, contract.name), shop[contract.name]
        assert found.column_names == [column.name for column in contract.columns]
        assert found.select(given.column_names).equals(given)
        assert all(found[name].null_count == len(found) for name in set(found.column_names) - set(given.column_names))
        told = taken.tables[contract.name]
        assert (told.rows, told.clean, told.quarantined) == (given.num_rows, given.num_rows, {})
        assert quarantined(tmp_path, contract.name).num_rows == 0


def test_rows_of_a_customer_lie_in_the_same_bucket_of_every_table(tmp_path: Path) -> None:
    shop = a_shop()
    intake_of(shop, tmp_path)
    owner = dict(
        zip(*(shop["applications"][name].to_pylist() for name in ("application_id", "customer_id")), strict=True)
    )
    place: dict[int, int] = {}
    for table in NAMES:
        for bucket in range(BUCKETS):
            for file in bucket_files(tmp_path / "lake" / "own", table, bucket):
                for row in pq.read_table(file, partitioning=None).to_pylist():
                    customer = row["customer_id"] if "customer_id" in row else owner[row["application_id"]]
                    assert place.setdefault(customer, bucket) == bucket
    assert set(place) == set(range(12))


def test_a_bucket_without_customers_has_a_file_without_rows(tmp_path: Path) -> None:
    shop = {name: table.slice(0, 3 if name == "instalments" else 2) for name, table in a_shop().items()}
    taken = intake_of(shop, tmp_path)
    sizes = {
        table: [
            sum(
                pq.read_table(file, partitioning=None).num_rows
                for file in bucket_files(tmp_path / "lake/own", table, n)
            )
            for n in range(BUCKETS)
        ]
        for table in NAMES
    }
    assert {table: sum(rows) for table, rows in sizes.items()} == {name: table.num_rows for name, table in shop.items()}
    assert 0 in sizes["customers"]
    assert {name: table.clean for name, table in taken.tables.items()} == {table: sum(sizes[table]) for table in NAMES}
    assert all(bucket_files(tmp_path / "lake/own", table, n) for table in NAMES for n in range(BUCKETS))


def test_parts_of_a_folder_are_one_table_whatever_the_order_of_their_columns(tmp_path: Path) -> None:
    shop = a_shop()
    folder = lay(shop, tmp_path / "raw")
    (folder / "orders.parquet").unlink()
    (folder / "orders").mkdir()
    first, second = shop["orders"].slice(0, 15), shop["orders"].slice(15)
    backwards = second.select(second.column_names[::-1])
    pq.write_table(first, folder / "orders" / "part-0.parquet")
    pq.write_table(
        backwards.append_column("unmapped", backwards["amount"]).drop_columns("unmapped"),
        folder / "orders" / "part-1.parquet",
    )
    (folder / "orders" / "_SUCCESS").touch()
    (folder / "orders" / ".part-0.parquet").write_text("a writer's own")
    taken_in(settings(folder), tmp_path / "lake" / "own")
    assert clean(tmp_path, "orders").select(shop["orders"].column_names).equals(shop["orders"])


def test_a_mapping_renames_columns_and_finds_files(tmp_path: Path) -> None:
    shop = a_shop()
    folder = lay(shop, tmp_path / "raw")
    theirs = shop["orders"].rename_columns(["Order No.", 'the "customer"', "at", "amount", "discount", "returned_at"])
    (folder / "orders.parquet").unlink()
    pq.write_table(theirs, tmp_path / "l'export [2024].parquet")
    columns = {"order_id": "Order No.", "customer_id": 'the "customer"', "ordered_at": "at"}
    mapping = TableMapping(path=str(tmp_path / "l'export [2024].parquet"), columns=columns)
    taken_in(settings(folder, tables=TableMappings(orders=mapping)), tmp_path / "lake" / "own")
    assert clean(tmp_path, "orders").select(shop["orders"].column_names).equals(shop["orders"])


def test_csv_says_the_same_as_parquet(tmp_path: Path) -> None:
    """Identifiers in text files are text in every table, so that 007 stays 007."""
    shop = a_shop()
    taken_in(settings(lay(shop, tmp_path / "raw", ".csv")), tmp_path / "lake" / "own")
    for contract in CONTRACTS:
        given = shop[contract.name]
        names = [name for name in given.column_names if not name.endswith("_id")]
        ids = [name for name in given.column_names if name.endswith("_id")]
        found = clean(tmp_path, contract.name)
        assert {found.schema.field(name).type for name in ids} == {pa.string()}
        as_text = given.select(ids).cast(pa.schema([(name, pa.string()) for name in ids]))
        expected = sorted(
            map(
                str,
                pa.Table.from_arrays([*as_text.columns, *given.select(names).columns], names=ids + names).to_pylist(),
            )
        )
        assert sorted(map(str, found.select(ids + names).to_pylist())) == expected


def test_an_identifier_that_is_text_in_one_table_is_text_in_all(tmp_path: Path) -> None:
    shop = a_shop()
    texts = with_column(
        shop, "customers", "customer_id", shop["customers"]["customer_id"].cast(pa.string()).combine_chunks()
    )
    taken = intake_of(texts, tmp_path)
    assert not any(table.quarantined for table in taken.tables.values())
    assert clean(tmp_path, "orders").schema.field("customer_id").type == pa.string()
    assert clean(tmp_path, "orders").schema.field("order_id").type == pa.int64()


def test_a_second_intake_replaces_the_first_and_keeps_what_lies_beside_it(tmp_path: Path) -> None:
    intake_of(a_shop(), tmp_path)
    beside = tmp_path / "lake" / "own" / "manifest.json"
    beside.write_text("{}")
    fewer = a_shop() | {"orders": a_shop()["orders"].slice(0, 10)}
    intake_of(fewer, tmp_path)
    assert clean(tmp_path, "orders").num_rows == 10
    assert sorted(path.name for path in (tmp_path / "lake" / "own").iterdir()) == [
        "clean",
        "manifest.json",
        "quarantine",
    ]
    assert [path.name for path in (tmp_path / "lake").iterdir()] == ["own"]


def test_all_rows_may_be_broken_when_that_is_allowed(tmp_path: Path) -> None:
    taken = intake_of(with_column(a_shop(), "customers", "birth_year", pa.array([1800] * 12)), tmp_path)
    assert {name: table.clean for name, table in taken.tables.items()} == dict.fromkeys(NAMES, 0)
    assert all(clean(tmp_path, name).num_rows == 0 for name in NAMES)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"orders": "a value"}, False),
        ({"orders": "a file's name"}, True),
    ],
    ids=["nothing", "a value", "a file's name"],
)
def test_the_fingerprint_follows_the_content(change: dict[str, str], same: bool, tmp_path: Path) -> None:
    before = intake_of(a_shop(), tmp_path).tables
    shop = a_shop()
    folder = tmp_path / "raw"
    raw = settings(folder)
    if change.get("orders") == "a value":
        lay(with_column(shop, "orders", "discount", pa.array([*range(39), 40], pa.int64())), folder)
    if change.get("orders") == "a file's name":
        (folder / "orders.parquet").rename(folder / "buys.parquet")
        raw = RawSettings(str(folder), time_zone="UTC", tables=TableMappings(orders=TableMapping(path="buys.parquet")))
    after = taken_in(raw, tmp_path / "lake" / "own").tables
    assert (after["orders"].fingerprint == before["orders"].fingerprint) is same
    assert all(after[name].fingerprint == before[name].fingerprint for name in NAMES if name != "orders")


def test_the_currency_is_told(tmp_path: Path) -> None:
    shop = with_column(a_shop(), "orders", "currency", "EUR")
    assert intake_of(shop, tmp_path).currency == "EUR"
    assert intake_of(a_shop(), tmp_path, currency="SEK").currency == "SEK"
    assert intake_of(a_shop(), tmp_path).currency is None


def test_a_column_that_says_nothing_is_as_good_as_none(tmp_path: Path) -> None:
    """A data frame writes a column of nothing without a type."""
    shop = with_column(a_shop(), "orders", "returned_at", pa.nulls(40))
    assert (
        intake_of(with_column(shop, "orders", "cancelled_at", pa.nulls(40, pa.bool_())), tmp_path)
        .tables["orders"]
        .clean
        == 40
    )
    assert clean(tmp_path, "orders").schema.field("returned_at").type == days().type


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_an_instalment_without_a_payment_may_leave_its_amount_empty(suffix: str, tmp_path: Path) -> None:
    unpaid = with_cell(with_cell(a_shop(), "instalments", "paid_at", 4, None), "instalments", "paid_amount", 4, None)
    told = taken_in(settings(lay(unpaid, tmp_path / "raw", suffix)), tmp_path / "lake" / "own").tables["instalments"]
    assert (told.clean, told.quarantined) == (told.rows, {})
    amounts = Counter(clean(tmp_path, "instalments")["paid_amount"].to_pylist())
    assert amounts == {1000: told.rows - 1, 0: 1}


def test_an_instalment_that_nobody_can_have_paid_needs_no_amounts(tmp_path: Path) -> None:
    shop = a_shop()
    unpaid = with_column(shop, "instalments", "paid_amount", pa.nulls(shop["instalments"].num_rows, pa.int64()))
    unpaid |= {"instalments": unpaid["instalments"].drop_columns(["paid_at"])}
    assert intake_of(unpaid, tmp_path).tables["instalments"].quarantined == {}
    assert set(clean(tmp_path, "instalments")["paid_amount"].to_pylist()) == {0}
