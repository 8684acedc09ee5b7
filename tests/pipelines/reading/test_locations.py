"""A table at an address is read as its files on this machine are, and messages name the address."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from pipelines.errors import DataError
from pipelines.reading.files import file_fingerprints
from pipelines.reading.locations import opened_location
from pipelines.reading.settings import ReadingSettings
from pipelines.reading.tables import read_table

CSV = b"id,income\n1,10\n2,20\n"


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    """A file system of fsspec, which keeps its files in memory."""
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def copied_names(location: str, root: Path) -> list[str]:
    with opened_location(location, root) as path:
        return sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())


def test_a_path_of_this_machine_is_read_where_it_is(tmp_path: Path) -> None:
    with opened_location(str(tmp_path / "a.csv"), tmp_path) as path:
        assert path == tmp_path / "a.csv"
    assert not any(tmp_path.iterdir())


def test_a_file_has_its_bytes_and_its_name_and_the_copy_is_removed(
    tmp_path: Path, memory: fsspec.AbstractFileSystem
) -> None:
    content = gzip.compress(CSV)  # a stream that is uncompressed on the way would have other bytes
    memory.pipe("/lake/a b%20.csv.gz", content)
    with opened_location("memory://lake/a b%20.csv.gz", tmp_path) as path:
        assert (path.name, path.read_bytes()) == ("a b%20.csv.gz", content)
        assert read_table(path, ReadingSettings(), tmp_path)["income"].to_pylist() == ["10", "20"]
    assert not any(tmp_path.iterdir())


def test_a_folder_has_its_partitions_and_no_files_that_a_reader_passes_over(
    tmp_path: Path, memory: fsspec.AbstractFileSystem
) -> None:
    for name in ("month=1/a.csv", "month=2/b.csv", "_SUCCESS", ".hidden/c.csv", "readme.txt", "_tmp/d.csv"):
        memory.pipe(f"/lake/apps/{name}", CSV)
    memory.pipe("/lake/apps2/e.csv", CSV)
    assert copied_names("memory://lake/apps", tmp_path) == ["month=1/a.csv", "month=2/b.csv"]
    with opened_location("memory://lake/apps/", tmp_path) as path:
        table = read_table(path, ReadingSettings(), tmp_path)
        assert table["month"].to_pylist() == ["1", "1", "2", "2"]
        assert [*file_fingerprints(path)] == ["month=1/a.csv", "month=2/b.csv"]


def test_a_name_that_climbs_out_of_the_folder_is_not_written(tmp_path: Path, memory: fsspec.AbstractFileSystem) -> None:
    memory.store["/lake/apps/../../../escaped.csv"] = memory.open("/lake/apps/a.csv", "wb")
    memory.pipe("/lake/apps/a.csv", CSV)
    assert copied_names("memory://lake/apps", tmp_path) == ["a.csv"]
    assert not list(tmp_path.parent.rglob("escaped.csv"))


def test_an_error_of_reading_names_the_address(tmp_path: Path, memory: fsspec.AbstractFileSystem) -> None:
    memory.pipe("/lake/apps/a.csv", CSV)
    memory.pipe("/lake/apps/b.csv", b"id,wage\n1,2\n")
    message = r"'memory://lake/apps/b.csv' has other columns than 'memory://lake/apps/a.csv' \(\+wage, -income\)"
    with pytest.raises(DataError, match=message), opened_location("memory://lake/apps", tmp_path) as path:
        read_table(path, ReadingSettings(), tmp_path)


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("memory://lake/none", r"^input is 'memory://lake/none', where there is no table; set it to a file"),
        ("nowhere://lake/a.csv", r"^input is 'nowhere://lake/a.csv', which cannot be read \(Protocol not known"),
        ("gcs://u:word@b/a\n.csv", r"^input is 'gcs://u:\*\*\*@b/a"),
    ],
)
def test_what_cannot_be_read_is_named_without_a_password(
    tmp_path: Path, memory: fsspec.AbstractFileSystem, location: str, message: str
) -> None:
    with pytest.raises(DataError, match=message), opened_location(location, tmp_path, setting="input"):
        pass
    assert not any(tmp_path.iterdir())


def test_a_file_that_changes_while_it_is_copied_is_refused(
    tmp_path: Path, memory: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/lake/a.csv", CSV)
    opened = type(memory)._open

    def open_and_overwrite(self: fsspec.AbstractFileSystem, path: str, *words: object, **options: object) -> object:
        stream = opened(self, path, *words, **options)
        memory.store["/lake/a.csv"] = type(memory.store["/lake/a.csv"])(memory, "/lake/a.csv", CSV + b"3,30\n")
        return stream

    monkeypatch.setattr(type(memory), "_open", open_and_overwrite)
    message = r"^'memory://lake/a.csv' changed while it was copied; run again"
    with pytest.raises(DataError, match=message), opened_location("memory://lake/a.csv", tmp_path):
        pass
