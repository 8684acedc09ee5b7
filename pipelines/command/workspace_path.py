"""Checks the path of the workspace, before a verb begins to work."""

import os
import unicodedata
from pathlib import Path

from pipelines.errors import RequestError

MOST_BYTES_OF_WORKSPACE = 400
"""SQLite opens paths of up to 512 bytes; the names of our files take some of them."""


def check_workspace(path: str) -> None:
    """Raise RequestError for a path at which no workspace can be."""
    if not path.strip():
        raise RequestError("workspace is empty; name a folder, for example workspace=./workspace")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
        raise RequestError(f"workspace {path!r} contains control characters; name a folder without them")
    try:
        root = Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise RequestError(f"workspace '{path}' names the home of an unknown user; write the path out") from error
    size = len(os.fsencode(root))
    if size > MOST_BYTES_OF_WORKSPACE:
        raise RequestError(
            f"the path of the workspace has {size} bytes ('{str(root)[:40]}...'); use one of at most "
            f"{MOST_BYTES_OF_WORKSPACE} bytes"
        )
    _check_ancestors(root)


def _check_ancestors(root: Path) -> None:
    """Raise RequestError where a path is or goes through a file, or where its folder cannot be created."""
    try:
        existing = next(one for one in (root, *root.parents) if one.exists())
        is_folder = existing.is_dir()
    except OSError as error:
        raise RequestError(f"workspace '{root}' cannot be opened ({error.strerror}); use another folder") from error
    if not is_folder:
        raise RequestError(f"workspace '{root}' cannot be a folder, because '{existing}' is a file; use another path")
    if existing != root and not os.access(existing, os.W_OK | os.X_OK):
        raise RequestError(
            f"workspace '{root}' cannot be created, because '{existing}' is not writable; use another path"
        )
