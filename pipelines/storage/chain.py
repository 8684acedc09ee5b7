"""One append-only, hash-chained table: what was written cannot be changed, inserted or reordered unnoticed."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, Text, create_engine, insert, inspect, select
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.pool import NullPool

from pipelines.errors import AnswerIsNo, ThinfileError
from pipelines.secrets.environment_text import to_record
from pipelines.storage.lock import file_lock
from pipelines.storage.postgresql import advisory_lock, open_engine
from pipelines.storage.workspace import Workspace, new_sqlite, sqlite_url

GENESIS = "0" * 64
SECONDS_TO_WAIT = 60

ENTRIES = Table(
    "chain",
    MetaData(),
    Column("chain", Text, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("written_at", String(40), nullable=False),
    Column("content", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)


class ChainConflict(ThinfileError):
    """Somebody else appended first; read the chain again before deciding."""


class ChainBroken(AnswerIsNo):
    """An entry is not what was written; the verb exits with 3."""


@dataclass(frozen=True)
class Entry:
    """One entry: its number, when it was written, its content, and the hash over all of that and the entry before."""

    sequence: int
    written_at: str
    content: Mapping[str, object]
    previous_hash: str
    hash: str


class Chain:
    """One named chain in the workspace's database; its unique (chain, sequence) lets one of several writers win."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.name = name
        self._workspace = workspace
        self._engine = _open_postgresql(workspace.database) if workspace.database else _open_sqlite(workspace)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock this chain until the block ends: from reading it to finishing what follows an entry.

        The lock is released when its holder dies. A writer without the lock still cannot overwrite an entry.
        SQLite has one lock for all chains of the workspace, PostgreSQL one for each.
        """
        if self._workspace.database:
            with advisory_lock(self._engine, f"thinfile chain {self.name}"):
                yield
        else:
            with file_lock(self._workspace.chain.with_suffix(".lock")):
                yield

    def entries(self) -> list[Entry]:
        """Return all entries in order. Raises ChainBroken when one of them is not what was written."""
        return self.newer_than(None)

    def newer_than(self, last: Entry | None) -> list[Entry]:
        """Return the entries after one that was read before, all of them for None; the others are not read again.

        Raises:
            ChainBroken: one of them is not what was written, or does not follow that one.
        """
        first, previous = (last.sequence + 1, last.hash) if last else (1, GENESIS)
        is_newer = (ENTRIES.c.chain == self.name) & (ENTRIES.c.sequence >= first)
        rows = self._rows(select(ENTRIES).where(is_newer).order_by(ENTRIES.c.sequence))
        self._verify(rows, first, previous)
        return [self._entry(row) for row in rows]

    def length(self) -> int:
        """Return the number of the last entry, 0 for an empty chain. Raises ChainBroken where it was changed."""
        last = self._last()
        return last.sequence if last else 0

    def unchecked(self) -> Iterator[Mapping[str, object]]:
        """Yield the contents of all entries that can be read, in order, whether or not they are what was written."""
        try:
            of_chain = select(ENTRIES.c.content).where(ENTRIES.c.chain == self.name)
            rows = self._rows(of_chain.order_by(ENTRIES.c.sequence))
        except ChainBroken:
            return
        for row in rows:
            with suppress(ValueError, TypeError):
                content = json.loads(row.content)
                if isinstance(content, dict):
                    yield content

    def append(self, content: Mapping[str, object], *, after: int) -> Entry:
        """Write an entry after the one with sequence number `after` (0 for an empty chain) and return it.

        Texts from the environment are written as the configuration has them (see `to_record`).

        Only the last entry is read and checked; `entries` checks them all.

        Raises:
            ChainConflict: the chain has grown since it was read.
            ChainBroken: its last entry is not what was written.
        """
        last = self._last()
        if (last.sequence if last else 0) != after:
            raise ChainConflict(self._conflict(after))
        previous = last.hash if last else GENESIS
        written_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        spelled = _spell(to_record(content))
        hash_ = _hash(self.name, after + 1, written_at, spelled, previous)
        # What is returned is what will be read back.
        entry = Entry(after + 1, written_at, json.loads(spelled), previous, hash_)
        self._insert(entry, spelled)
        return entry

    def _last(self) -> Any:
        query = select(ENTRIES).where(ENTRIES.c.chain == self.name).order_by(ENTRIES.c.sequence.desc()).limit(1)
        rows = self._rows(query)
        if not rows:
            return None
        self._check(rows[0])
        return rows[0]

    def _rows(self, query: Any) -> Sequence[Any]:
        try:
            with self._engine.connect() as connection:
                return connection.execute(query).all()
        except DatabaseError as error:
            if not _is_damage(error):
                raise
            raise ChainBroken(
                f"{self.name}: the database cannot be read ({error.orig}); restore it from a copy"
            ) from error

    def _insert(self, entry: Entry, spelled: str) -> None:
        row = {
            "chain": self.name,
            "sequence": entry.sequence,
            "written_at": entry.written_at,
            "content": spelled,
            "previous_hash": entry.previous_hash,
            "hash": entry.hash,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(ENTRIES).values(row))
        except IntegrityError as error:
            raise ChainConflict(self._conflict(entry.sequence - 1)) from error

    def _conflict(self, after: int) -> str:
        return f"{self.name} has grown since entry {after} was read: another command wrote first; run this one again"

    def _verify(self, rows: Sequence[Any], first: int, previous: str) -> None:
        for sequence, row in enumerate(rows, start=first):
            self._check(row, sequence, previous)
            previous = row.hash

    def _entry(self, row: Any) -> Entry:
        """Return a checked row as an entry. Raises ChainBroken for a row that has a hash and was never an entry."""
        try:
            content, written_at = json.loads(row.content), datetime.fromisoformat(row.written_at)
        except (ValueError, TypeError):
            content = written_at = None
        if not isinstance(content, dict) or written_at is None or written_at.tzinfo is None:
            raise ChainBroken(
                f"{self.name}: entry {row.sequence} has no time or no content that can be read; restore the database "
                "from a copy"
            )
        return Entry(row.sequence, row.written_at, content, row.previous_hash, row.hash)

    def _check(self, row: Any, sequence: int | None = None, previous: str | None = None) -> None:
        """Raise for a row that is not what was written, or not where or after what it was written."""
        expected = _hash(row.chain, row.sequence, row.written_at, row.content, row.previous_hash)
        sequence = row.sequence if sequence is None else sequence
        if row.sequence != sequence or row.hash != expected or row.previous_hash != (previous or row.previous_hash):
            raise ChainBroken(
                f"{self.name}: entry {sequence} is not what was written (hash {expected[:12]}, recorded "
                f"{str(row.hash)[:12]}); restore the database from a copy"
            )


def _open_sqlite(workspace: Workspace) -> Engine:
    if not workspace.chain.exists():
        with new_sqlite(workspace.chain) as fresh:
            engine = create_engine(sqlite_url(fresh))
            ENTRIES.metadata.create_all(engine)
            engine.dispose()
    return create_engine(sqlite_url(workspace.chain), poolclass=NullPool, connect_args={"timeout": SECONDS_TO_WAIT})


def _open_postgresql(database: str) -> Engine:
    engine = open_engine(database)
    if not inspect(engine).has_table(ENTRIES.name):
        with advisory_lock(engine, "thinfile tables"):
            ENTRIES.metadata.create_all(engine)
    return engine


def _is_damage(error: DatabaseError) -> bool:
    """Return whether the stored bytes are at fault: a damaged page, invalid characters, a missing table."""
    message = str(error.orig)
    return any(
        sign in message for sign in ("malformed", "not a database", "decode", "no such", "invalid byte", "corrupt")
    )


def _spell(content: Mapping[str, object]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _hash(chain: str, sequence: int, written_at: str, spelled: str, previous: str) -> str:
    return hashlib.sha256(f"{chain}\n{sequence}\n{written_at}\n{previous}\n{spelled}".encode()).hexdigest()
