"""Files that are there whole or not at all; what a killed process left half-done is cleared by the next one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from pipelines.secrets.private_files import FILE, make_folder
from pipelines.storage.process import is_dead, process_identity

SCRATCH = ".scratch"


@contextmanager
def whole_file(path: Path, *, keeps_mode: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block ends, and is removed when it fails.

    The file is private, or has the permissions of the one that it replaces where it keeps the mode.
    """
    make_folder(path.parent)
    _clear(path.parent, f".{path.name}")
    temporary = path.with_name(f".{path.name}~{process_identity()}")
    try:
        yield temporary
        own = temporary.stat().st_mode & FILE
        temporary.chmod(path.stat().st_mode & 0o777 if keeps_mode else own)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_once(path: Path, content: str) -> None:
    """Write a private file unless it exists; of several commands at once the first wins."""
    if path.exists():
        return
    with scratch_folder(path.parent) as scratch:
        fresh = scratch / path.name
        fresh.touch(mode=FILE)
        fresh.write_text(content)
        with suppress(FileExistsError):
            os.link(fresh, path)


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Yield an empty folder below `parent` that is gone when the block ends."""
    make_folder(parent)
    _clear(parent, SCRATCH)
    folder = Path(mkdtemp(dir=parent, prefix=f"{SCRATCH}~{process_identity()}~"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def folder_for_now(folder: Path) -> Iterator[Path]:
    """Yield a folder; it and its parents are removed when the block ends where they did not exist and are empty."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        yield folder
    finally:
        for one in missing:
            with suppress(OSError):
                one.rmdir()


def clear_below(root: Path) -> None:
    """Remove what dead processes of this host left half-done anywhere below a folder."""
    for folder, folders, names in os.walk(root):
        for name in [one for one in (*folders, *names) if one.startswith(".") and "~" in one]:
            _clear(Path(folder), name.partition("~")[0])
        folders[:] = [one for one in folders if not one.startswith(".")]


def _clear(folder: Path, stem: str) -> None:
    """Remove what processes of this host that are dead left under a temporary name."""
    for left in folder.glob(f"{stem}~*"):
        if not is_dead(left.name.removeprefix(f"{stem}~").partition("~")[0]):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
