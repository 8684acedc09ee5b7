"""Salted hashes of ids: an id is recognised with the salt and cannot be read from its hash.

The salt is where the chain of erasures is: in a file of the workspace, or in the database that workspaces share.
"""

import hashlib
import secrets
from enum import Enum
from pathlib import Path

from sqlalchemy import CheckConstraint, Column, Engine, Integer, MetaData, String, Table, inspect, select
from sqlalchemy.dialects.postgresql import insert

from pipelines.errors import ThinfileError
from pipelines.storage.atomic_files import write_once
from pipelines.storage.postgresql import advisory_lock, open_engine
from pipelines.storage.workspace import Workspace

SALT = Table(
    "erasure_salt",
    MetaData(),
    Column("number", Integer, CheckConstraint("number = 1"), primary_key=True, autoincrement=False),
    Column("salt", String(64), nullable=False),
)
"""The table of one row with the salt of a shared database."""


class Kind(Enum):
    """The kind of an id; equal ids of two kinds have different hashes."""

    customer = "customer"
    application = "application"
    decision = "decision"


def salt_of(workspace: Workspace) -> str:
    """Return the salt. Raises ThinfileError where it is missing."""
    shared = _read_shared(open_engine(workspace.database)) if workspace.database else None
    if shared is not None:
        return shared
    try:
        return _path(workspace).read_text().strip()  # also of a database that only an earlier version wrote to
    except OSError as error:
        raise ThinfileError(
            f"the salt of the erasures '{_path(workspace)}' cannot be read ({error}); restore it, or copy it from "
            "the workspace that erased the ids"
        ) from error


def ensure_salt(workspace: Workspace) -> str:
    """Return the salt, drawn if it does not exist; of several commands at once the first wins."""
    if workspace.database is None:
        write_once(_path(workspace), secrets.token_hex(32) + "\n")
        return salt_of(workspace)
    engine = open_engine(workspace.database)
    if _read_shared(engine) is None:
        earlier = _path(workspace).read_text().strip() if _path(workspace).exists() else None
        with advisory_lock(engine, "thinfile tables"):
            SALT.metadata.create_all(engine)
        with engine.begin() as connection:
            row = {"number": 1, "salt": earlier or secrets.token_hex(32)}
            connection.execute(insert(SALT).values(row).on_conflict_do_nothing())
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


def _read_shared(engine: Engine) -> str | None:
    if not inspect(engine).has_table(SALT.name):
        return None
    with engine.connect() as connection:
        return connection.execute(select(SALT.c.salt)).scalar_one_or_none()


def _path(workspace: Workspace) -> Path:
    return workspace.root / "erasure.salt"
