"""Salted hashes of ids: an id is recognised with the workspace's salt and cannot be read from its hash."""

import hashlib
import os
import secrets
from contextlib import suppress
from enum import Enum
from pathlib import Path

from pipelines.errors import ThinfileError
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.workspace import Workspace


class Kind(Enum):
    """The kind of an id; equal ids of two kinds have different hashes."""

    customer = "customer"
    application = "application"
    decision = "decision"


def salt_of(workspace: Workspace) -> str:
    """Return the workspace's salt. Raises ThinfileError where it is missing."""
    try:
        return _path(workspace).read_text().strip()
    except OSError as error:
        raise ThinfileError(
            f"the salt of the erasures '{_path(workspace)}' cannot be read ({error}); restore it, or copy it from "
            "the workspace that erased the ids"
        ) from error


def ensure_salt(workspace: Workspace) -> str:
    """Return the workspace's salt, drawn if it does not exist; of several commands at once the first wins."""
    if not _path(workspace).exists():
        with scratch_folder(workspace.root) as scratch:
            fresh = scratch / "salt"
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_hex(32) + "\n")
            with suppress(FileExistsError):
                os.link(fresh, _path(workspace))
    return salt_of(workspace)


def hashed(salt: str, kind: Kind, identity: str) -> str:
    """Return the salted hash of an id, as `hashed_in_sql` does.

    >>> hashed("s", Kind.customer, "7") == hashed("s", Kind.application, "7")
    False
    """
    return hashlib.sha256(f"{_prefix(salt, kind)}{identity}".encode()).hexdigest()


def hashed_in_sql(salt: str, kind: Kind, text: str) -> str:
    """Return SQL for the salted hash of `text`, SQL of an id as it is spelt."""
    return f"sha256('{_prefix(salt, kind)}' || {text})"


def _prefix(salt: str, kind: Kind) -> str:
    return f"{salt}/{kind.value}/"


def _path(workspace: Workspace) -> Path:
    return workspace.root / "erasure.salt"
