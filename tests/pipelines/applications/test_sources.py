"""Files that cannot be read are told once: the rule, the value, the next step."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.applications.settings import DataSettings, Source
from pipelines.applications.sources import german_credit_path, read_table
from pipelines.errors import DataError


def table_at(path: Path | None) -> DataSettings:
    return DataSettings(source=Source.table, path=None if path is None else str(path))


def whole_parquet(path: Path) -> bytes:
    pd.DataFrame({"x": range(1000)}).to_parquet(path)
    return path.read_bytes()


def truncated(path: Path) -> None:
    path.write_bytes(whole_parquet(path)[:-100])


def damaged(path: Path) -> None:
    content = whole_parquet(path)
    path.write_bytes(content[:20] + bytes(200) + content[220:])


def twice_the_same_column(path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]), path)


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("a.csv", str, r"data.path is '.*a.csv', where there is no file and no folder of Parquet files; set"),
        ("a.csv", Path.mkdir, r"data.path is '.*a.csv', where there is no file and no folder of Parquet files; set"),
        ("a.csv", lambda path: path.write_text(""), r"'.*a.csv' cannot be read as csv \(.*\); check the file"),
        ("a.csv", lambda path: path.write_text("a,b\n1,2,3\n4\n1,2,3,4"), "cannot be read as csv .*; check the file"),
        ("a.csv", lambda path: path.write_bytes(b"a,b\n\xe9\xff,2"), "cannot be read as csv .*; check the file"),
        ("a.parquet", lambda path: path.write_text(""), "cannot be read as parquet .*; check the file"),
        ("a.parquet", lambda path: path.write_text("a,b\n1,2"), "cannot be read as parquet .*; check the file"),
        ("a.parquet", truncated, "cannot be read as parquet .*; check the file"),
        ("a.parquet", damaged, "cannot be read as parquet .*; check the file"),
        ("a.parquet", twice_the_same_column, "cannot be read as parquet .*; check the file"),
        (
            "a.xlsx",
            lambda path: path.write_text("x"),
            r"data.path ends in 'a.xlsx'; convert the file to .csv or .parquet",
        ),
    ],
    ids=[
        *("missing", "a folder", "empty csv", "ragged csv", "not utf-8", "empty parquet", "csv named parquet"),
        *("truncated", "damaged", "a column twice", "a spreadsheet"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    name: str, write: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    write(tmp_path / name)
    with pytest.raises(DataError, match=message) as told:
        read_table(table_at(tmp_path / name))
    assert len(str(told.value).splitlines()) == 1


def test_a_table_without_a_path_is_told() -> None:
    with pytest.raises(DataError, match=r"data.path is not set .*; add data.path=FILE"):
        read_table(table_at(None))


def test_the_german_data_is_the_thousand_applications_of_hofmann() -> None:
    table = read_table(DataSettings(source=Source.german_credit))
    assert table.shape == (1000, 21)
    assert table["creditability"].value_counts().to_dict() == {"good": 700, "bad": 300}
    assert german_credit_path().is_file()


def test_columns_are_named_by_text(tmp_path: Path) -> None:
    (tmp_path / "A.CSV").write_text("1,2\n3,4\n")
    assert list(read_table(table_at(tmp_path / "A.CSV"))) == ["1", "2"]
