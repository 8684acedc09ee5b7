"""Files and folders that only their owner may open: they hold people's data and decisions about them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
"""The widest permissions of a new file and a new folder; a stricter umask takes away more."""

OTHERS = 0o077


@contextmanager
def private_umask() -> Iterator[None]:
    """Make every file of this process and its children private while the block lasts, whatever library writes it."""
    before = os.umask(OTHERS)
    os.umask(before | OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def make_folder(path: Path) -> None:
    """Make a folder and its missing parents, all of them private; existing folders keep their permissions."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for folder in reversed(missing or [path]):
        folder.mkdir(mode=FOLDER, exist_ok=True)
