"""A candidate family of another package, installed without a network: its folder goes onto the import path."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def installed(folder: Path = Path(__file__).parent) -> Iterator[None]:
    """Put a folder with a package and its dist-info onto the import path."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
