"""Files that cannot be read are refused with one message: what is wrong, and what to do."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import DataError
from pipelines.reading.settings import ReadingSettings
from pipelines.reading.tables import read_table


def table_of(path: Path, **settings: object) -> pa.Table:
    return read_table(path, ReadingSettings(**settings), path.parent / "scratch")  # type: ignore[arg-type]


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
        ("a.csv", str, r"data.path is '.*a.csv', where there is no table; set it to a file"),
        ("a.csv", Path.mkdir, r"data.path is '.*a.csv', where there is no table; set it to a file"),
        ("a.csv", lambda path: path.write_text(""), r"'.*a.csv' cannot be read as csv \(.*\); check the file"),
        ("a.csv", lambda path: path.write_text("a,b\n1,2\n4\n1,2,3,4"), "cannot be read as csv .*; check the file"),
        ("a.csv", lambda path: path.write_bytes(b"a,b\n\xe9\xff,2"), "cannot be read as csv .*; set data.encoding"),
        ("a.parquet", lambda path: path.write_text(""), "cannot be read as parquet .*; check the file"),
        ("a.parquet", lambda path: path.write_text("a,b\n1,2"), "cannot be read as parquet .*; check the file"),
        ("a.parquet", truncated, "cannot be read as parquet .*; check the file"),
        ("a.parquet", damaged, "cannot be read as parquet .*; check the file"),
        ("a.parquet", twice_the_same_column, "cannot be read as parquet .*two columns 'x'.*; rename one"),
        (
            "a.xlsx",
            lambda path: path.write_text("x"),
            r"data.path ends in 'a.xlsx'; convert the file to .parquet or .csv",
        ),
    ],
    ids=[
        *("missing", "a folder", "empty csv", "ragged csv", "not utf-8", "empty parquet", "csv named parquet"),
        *("truncated", "damaged", "a column twice", "a spreadsheet"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    name: str, write: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    write(tmp_path / name)
    with pytest.raises(DataError, match=message) as told:
        table_of(tmp_path / name)
    assert len(str(told.value).splitlines()) == 1


def test_delimiters_compression_and_a_byte_order_mark_are_found(tmp_path: Path) -> None:
    expected = [{"a": "1", "b": "x,y"}, {"a": "2", "b": None}]
    (tmp_path / "semicolon.csv").write_text("a;b\n1;x,y\n2;\n", encoding="utf-8-sig")
    (tmp_path / "tab.tsv").write_text("a\tb\n1\tx,y\n2\t\n")
    (tmp_path / "quoted.csv.gz").write_bytes(gzip.compress(b'"a","b"\n1,"x,y"\n2,""\n'))
    for name in ("semicolon.csv", "tab.tsv", "quoted.csv.gz"):
        assert table_of(tmp_path / name).to_pylist() == expected


def test_what_a_file_does_not_say_is_declared(tmp_path: Path) -> None:
    (tmp_path / "german.data").write_bytes("1 é\n2 b\n".encode("latin-1"))
    found = table_of(tmp_path / "german.data", delimiter=" ", encoding="latin-1", header=False, names=["n", "text"])
    assert found.to_pylist() == [{"n": "1", "text": "é"}, {"n": "2", "text": "b"}]


def test_a_delimiter_at_the_end_of_each_line_divides_nothing(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2,\n3,4,\n")
    (tmp_path / "header.csv").write_text("a,b,\n1,2,\n3,4,\n")
    for name in ("rows.csv", "header.csv"):
        assert table_of(tmp_path / name).to_pylist() == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2,\n3,4,5\n", "a value follows the last named column 'b'"),
        ("a,b\n1,2,3\n", "has 3 fields in its first row and 2 column names; add the missing names"),
        ("a,b,a\n1,2,3\n", "has 2 columns 'a'; rename all but one"),
        ("a,b,A\n1,2,3\n", "columns 'a' and 'A' of .* differ only in case; rename one"),
        ("\na,b\n1,2\n", "its first line is empty.; remove the line"),
        ("sep=;\na;b\n1;2\n", "begins with 'sep=;', a note of spreadsheets and not a header; remove the line"),
        ("a,b\n1,2\r\n3,4\n", "its lines end in different ways"),
        ("a,b\n" + 200_000 * "x" + ",2\n", "the first lines of .* cannot be read as csv .field larger"),
    ],
)
def test_headers_that_do_not_fit_the_rows_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text, newline="")
    with pytest.raises(DataError, match=message):
        table_of(tmp_path / "a.csv")


def test_files_of_a_folder_that_differ_in_columns_are_refused_with_a_diff(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "old": [2]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"new": [1], "a": [2]}), tmp_path / "2.parquet")
    with pytest.raises(DataError, match=r"2.parquet' has other columns than '.*1.parquet' \(\+new, -old\); give all"):
        table_of(tmp_path)


def test_files_agree_whatever_the_order_and_the_types_of_their_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": pa.array([None], pa.null()), "x": [1], "d": ["01"]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"x": [2.5], "d": pa.array(["2"]).dictionary_encode(), "n": [7]}), tmp_path / "2.parquet")
    assert table_of(tmp_path).to_pylist() == [{"n": None, "x": "1", "d": "01"}, {"n": 7, "x": "2.5", "d": "2"}]


def test_the_folders_of_partitions_are_columns(tmp_path: Path) -> None:
    for channel, value in (("web", 1), ("app%20store", 2), ("__HIVE_DEFAULT_PARTITION__", 3)):
        folder = tmp_path / f"channel={channel}"
        folder.mkdir()
        (folder / "part.csv").write_text(f"x\n{value}\n")
    found = {one["x"]: one["channel"] for one in table_of(tmp_path).to_pylist()}
    assert found == {"1": "web", "2": "app store", "3": None}


def test_the_levels_of_an_index_of_pandas_are_columns(tmp_path: Path) -> None:
    pd.DataFrame({"x": [1, 2]}, index=pd.Index(["A", "B"], name="id")).to_parquet(tmp_path / "t.parquet")
    assert table_of(tmp_path / "t.parquet").to_pylist() == [{"x": 1, "id": "A"}, {"x": 2, "id": "B"}]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("declared", ["utf-8", "utf-16", "latin-1"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_the_byte_order_mark_of_a_file_decides_its_encoding(
    name: str, declared: str, encoding: str, tmp_path: Path
) -> None:
    content = "größe;b\r\n1;é\r\n".encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert table_of(tmp_path / name, encoding=declared).to_pylist() == [{"größe": "1", "b": "é"}]
    assert not list(tmp_path.glob("scratch/*"))


@pytest.mark.parametrize("order", ["le", "be"])
def test_utf_16_without_a_mark_is_named_and_read_where_it_is_declared(order: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("a,b\n1,é\n".encode(f"utf-16-{order}"))
    for declared in ("utf-8", "latin-1"):
        with pytest.raises(
            DataError, match=f"has NUL characters, as text in UTF-16 .* set data.encoding=utf-16-{order}"
        ):
            table_of(tmp_path / "a.csv", encoding=declared)
    assert table_of(tmp_path / "a.csv", encoding=f"utf-16-{order}").to_pylist() == [{"a": "1", "b": "é"}]


def test_a_compressed_file_that_ends_early_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    rows = "".join(f"{row},{row * 7919 % 1000}\n" for row in range(300))
    content = gzip.compress(f"a,b\n{rows}".encode())
    for end in [*range(20, len(content), 37), *range(len(content) - 12, len(content))]:
        (tmp_path / "cut.csv.gz").write_bytes(content[:end])
        with pytest.raises(DataError, match="cannot be read as csv"):
            table_of(tmp_path / "cut.csv.gz")
    damaged = bytearray(content)
    damaged[len(content) // 2] ^= 255
    (tmp_path / "cut.csv.gz").write_bytes(bytes(damaged))
    with pytest.raises(DataError, match="cannot be read as csv"):
        table_of(tmp_path / "cut.csv.gz")


@pytest.mark.parametrize(
    ("begin", "message"),
    [
        (gzip.compress(b"a,b"), "is compressed with gzip.; let its name end in .csv.gz"),
        (b"PK\x03\x04....", "is a zip archive or a workbook.; extract"),
        (b"PAR1....", "is Parquet.; let its name end in .parquet"),
    ],
    ids=["gzip", "zip", "parquet"],
)
def test_files_that_are_not_text_are_named(begin: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(begin)
    with pytest.raises(DataError, match=message):
        table_of(tmp_path / "a.csv", encoding="latin-1")
