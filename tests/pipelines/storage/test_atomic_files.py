"""A file is there whole or not at all, and what a killed process left is cleared."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pipelines.storage.atomic_files import scratch_folder, whole_file


def dead_process_writes(script: str, folder: Path) -> None:
    """Run a script in a process that is gone, without cleaning up, when this returns."""
    code = (
        "import os, sys; from pathlib import Path; from pipelines.storage.atomic_files import *\n"
        "folder = Path(sys.argv[1])\n"
    )
    subprocess.run([sys.executable, "-c", code + textwrap.dedent(script), folder], check=True)


def test_a_file_takes_its_place_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with whole_file(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_block_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with whole_file(path) as temporary:
            temporary.write_text("ha")
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_cleared_and_was_never_taken_for_the_file(tmp_path: Path) -> None:
    # given
    dead_process_writes(
        """
        with whole_file(folder / "a.txt") as temporary:
            temporary.write_text("half")
            os._exit(0)
        """,
        tmp_path,
    )
    assert len(list(tmp_path.iterdir())) == 1
    assert not (tmp_path / "a.txt").exists()
    # when
    with whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
    # then
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_scratch_folder_is_gone_when_the_block_ends_or_fails(tmp_path: Path) -> None:
    def fail() -> None:
        with scratch_folder(tmp_path) as folder:
            (folder / "a.txt").write_text("a")
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_dead_workers_scratch_folder_is_cleared_and_a_living_ones_is_not(tmp_path: Path) -> None:
    dead_process_writes("with scratch_folder(folder): os._exit(0)", tmp_path)
    (left,) = tmp_path.iterdir()
    with scratch_folder(tmp_path) as first, scratch_folder(tmp_path) as second:
        assert first != second
        assert first.is_dir()
    assert not left.exists()
