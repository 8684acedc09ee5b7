"""Files that are missing, cut short, damaged or unlike each other: each one message, and nothing left behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.marketplace import intake_run
from pipelines.marketplace.buckets import write_buckets
from tests.pipelines.marketplace.shop import a_shop, assert_stops, lay, settings

Spoil = Callable[[Path], object]
HEADER = "order_id,customer_id,ordered_at,amount\n"
NOT_PARQUET = r"'.*{}' of orders cannot be read as parquet \(.*\); write the file again"
NOT_CSV = r"'.*orders.csv' cannot be read as csv \(.*{}.*\); check the file"


def removed(folder: Path) -> None:
    (folder / "orders.parquet").unlink()


def all_removed(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def emptied_folder(folder: Path) -> None:
    removed(folder)
    (folder / "orders").mkdir()


def bytes_of(change: Callable[[bytes], bytes]) -> Spoil:
    """Change the bytes of the file of orders."""

    def spoil(folder: Path) -> None:
        file = folder / "orders.parquet"
        file.write_bytes(change(file.read_bytes()))

    return spoil


def damaged_pages(content: bytes) -> bytes:
    """Return a file whose footer is sound, so that only a reader of its values meets the fault."""
    return content[:10] + b"\xff" * 400 + content[410:]


def parts(*changes: Callable[[pa.Table], pa.Table]) -> Spoil:
    """Write ten orders into a file of a folder for each change."""

    def spoil(folder: Path) -> None:
        orders = pq.read_table(folder / "orders.parquet")
        emptied_folder(folder)
        for number, change in enumerate(changes):
            pq.write_table(change(orders.slice(number * 10, 10)), folder / "orders" / f"part-{number}.parquet")

    return spoil


def same(table: pa.Table) -> pa.Table:
    return table


def with_zone(table: pa.Table) -> pa.Table:
    place = table.column_names.index("ordered_at")
    return table.set_column(place, "ordered_at", table["ordered_at"].cast(pa.timestamp("us", "UTC")))


def second_part_cut(folder: Path) -> None:
    parts(same, same, same)(folder)
    second = folder / "orders" / "part-1.parquet"
    second.write_bytes(second.read_bytes()[:500])


def csv_beside(folder: Path) -> None:
    parts(same)(folder)
    (folder / "orders" / "more.csv").write_text(HEADER)


def no_rows(folder: Path) -> None:
    pq.write_table(pq.read_table(folder / "orders.parquet").slice(0, 0), folder / "orders.parquet")


def csv(content: str | bytes) -> Spoil:
    def spoil(folder: Path) -> None:
        removed(folder)
        (folder / "orders.csv").write_bytes(content if isinstance(content, bytes) else content.encode())

    return spoil


CASES: dict[str, tuple[Spoil, str]] = {
    "nothing at all": (
        all_removed,
        r"table customers does not exist at '.*/customers', as a folder or a file \(.parquet, .csv, .*\); "
        r"correct raw.folder or raw.tables.customers.path",
    ),
    "no table": (removed, r"table orders does not exist at"),
    "an empty folder": (
        emptied_folder,
        r"raw.tables.orders.path is '.*orders', where there is no table; set it to a file",
    ),
    "csv beside parquet": (
        csv_beside,
        r"'.*orders' has Parquet and text files; keep only one kind or set raw.tables.orders.path",
    ),
    "a file cut short": (bytes_of(lambda content: content[:-40]), NOT_PARQUET.format("orders.parquet")),
    "a file damaged inside": (bytes_of(damaged_pages), NOT_PARQUET.format("orders.parquet")),
    "a file of nothing": (bytes_of(lambda _: b""), NOT_PARQUET.format("orders.parquet")),
    "text named parquet": (bytes_of(lambda _: HEADER.encode()), NOT_PARQUET.format("orders.parquet")),
    "a partition cut short": (second_part_cut, NOT_PARQUET.format("part-1.parquet")),
    "no rows": (no_rows, r"orders has no rows in '.*orders.parquet'; check raw.tables.orders.path"),
    "parts of other columns": (
        parts(same, lambda table: table.drop_columns("discount")),
        r"'.*part-1.parquet' and '.*part-0.parquet' of orders differ in discount",
    ),
    "a part with zones": (
        parts(same, with_zone),
        r"differ in ordered_at; give all files the same columns",
    ),
    "csv of nothing": (csv(""), r"'.*orders.csv' cannot be read as csv \(it is empty\); check the file"),
    "csv without rows": (csv(HEADER), r"orders has no rows in '.*orders.csv'; check"),
    "csv with a column twice": (
        csv("a,amount,Amount\n1,2,3\n"),
        r"columns 'amount' and 'Amount' of '.*orders.csv' differ only in case; rename one",
    ),
    "csv with a short row": (
        csv(HEADER + "1,2,3,4\n1,2\n"),
        NOT_CSV.format(r"Line: 3, .*: 1,2, Expected .* 4 Found: 2"),
    ),
    "csv with a long row": (
        csv(HEADER + "1,2,3,4,5\n"),
        r"has 5 fields in its first row and 4 column names; add .* or set raw.names",
    ),
    "csv with an open quotation": (csv(HEADER + '1,"2,3,4\n'), NOT_CSV.format("Line: 2")),
    "csv that is not utf-8": (
        csv(HEADER.encode() + b"\xe9\xff,1,2024-01-01,3\n"),
        r"cannot be read as csv \(it is not utf-8: .*\); set raw.encoding, for example",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), CASES.values(), ids=CASES.keys())
def test_a_file_that_cannot_be_taken_in_is_named(spoil: Spoil, message: str, tmp_path: Path) -> None:
    folder = lay(a_shop(), tmp_path / "raw")
    spoil(folder)
    assert_stops(settings(folder), tmp_path, message)


def test_files_that_change_while_they_are_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row too few reaches the clean table of orders."""
    folder = lay(a_shop(), tmp_path / "raw")

    def write_fewer(connection: Any, rows: str, columns: str, bucket: str, place: Path, buckets: int) -> int:
        fewer = f"(from {rows} limit 39)" if place.name == "orders" else rows
        return write_buckets(connection, fewer, columns, bucket, place, buckets)

    monkeypatch.setattr(intake_run, "write_buckets", write_fewer)
    message = r"the files of orders changed while they were read: of 40 rows 39 are clean and 0 broken"
    assert_stops(settings(folder), tmp_path, message)
