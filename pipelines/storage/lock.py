"""One process at a time: a lock that the system itself releases when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.secrets.private_files import FILE, make_folder


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock named by a path for the length of the block, once those who had it before are done."""
    make_folder(path.parent)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE), "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
