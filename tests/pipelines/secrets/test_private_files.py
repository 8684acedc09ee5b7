"""New files and folders are their owner's alone, whatever the umask would allow; a stricter umask is respected."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.secrets.private_files import make_folder, private_umask
from pipelines.storage.atomic_files import scratch_folder, whole_file
from pipelines.storage.lock import file_lock
from pipelines.storage.workspace import new_sqlite


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o277])
def test_the_umask_of_a_verb_lets_nobody_else_in(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        with private_umask():
            (tmp_path / "file").write_text("rows")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert mode(tmp_path / "file") == 0o600 & ~umask


def test_folders_files_locks_and_databases_are_private_without_it_too(tmp_path: Path, open_umask: None) -> None:
    # given no umask at all, and functions that are called from Python and not by a verb
    root = tmp_path / "workspace"
    make_folder(root / "lake" / "a")
    with whole_file(root / "new" / "one") as temporary:
        temporary.write_text("rows")
    with file_lock(root / "locks" / "one"), scratch_folder(root / "scratch") as scratch:
        assert mode(scratch) == 0o700
    with new_sqlite(root / "database" / "one.db"):
        pass
    # then only the owner may open what was written
    written = [root, *root.rglob("*")]
    assert {mode(path) for path in written if path.is_dir()} == {0o700}
    assert {path.name: mode(path) for path in written if path.is_file()} == {"one": 0o600, "one.db": 0o600}


def test_existing_folders_and_files_of_others_keep_their_permissions(tmp_path: Path) -> None:
    folder, file = tmp_path / "theirs", tmp_path / "theirs" / "extract.csv"
    folder.mkdir(mode=0o755)
    file.write_text("a")
    file.chmod(0o640)
    make_folder(folder)
    with whole_file(file, keeps_mode=True) as temporary:
        temporary.write_text("b")
    assert (mode(folder), mode(file), file.read_text()) == (0o755, 0o640, "b")


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "file")
