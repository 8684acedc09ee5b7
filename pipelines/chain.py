"""One append-only, hash-chained table: what was written cannot be changed, inserted or reordered unnoticed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, Text, create_engine, insert, select
from sqlalchemy.exc import IntegrityError

from pipelines.errors import ThinfileError
from pipelines.workspace import new_sqlite, sqlite_url

GENESIS = "0" * 64

ENTRIES = Table(
    "chain",
    MetaData(),
    Column("chain", String(200), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("written_at", String(40), nullable=False),
    Column("content", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)


class ChainConflict(ThinfileError):
    """Somebody else appended first; read the chain again before deciding."""


class ChainBroken(ThinfileError):
    """An entry is not what was written."""


@dataclass(frozen=True)
class Entry:
    """One entry: its place, when it was written, what it says, and the hash over all of that and the entry before."""

    sequence: int
    written_at: str
    content: Mapping[str, object]
    previous_hash: str
    hash: str


class Chain:
    """One named chain in a database; its unique (chain, sequence) lets one of several writers win."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        if not path.exists():
            with new_sqlite(path) as fresh:
                engine = create_engine(sqlite_url(fresh))
                ENTRIES.metadata.create_all(engine)
                engine.dispose()
        self._engine = create_engine(sqlite_url(path), connect_args={"timeout": 60})

    def entries(self) -> list[Entry]:
        """Return all entries in order. Raises ChainBroken when one of them is not what was written."""
        query = select(ENTRIES).where(ENTRIES.c.chain == self.name).order_by(ENTRIES.c.sequence)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        self._verify(rows)
        return [
            Entry(row.sequence, row.written_at, json.loads(row.content), row.previous_hash, row.hash) for row in rows
        ]

    def append(self, content: Mapping[str, object], *, after: int) -> Entry:
        """Write an entry after the one with sequence number `after` (0 for an empty chain) and return it.

        Raises:
            ChainConflict: the chain has grown since it was read.
        """
        entries = self.entries()
        if len(entries) != after:
            raise ChainConflict(self._conflict(after))
        previous = entries[-1].hash if entries else GENESIS
        written_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        spelled = _spell(content)
        # What is returned is what will be read back.
        entry = Entry(
            after + 1, written_at, json.loads(spelled), previous, _hash(after + 1, written_at, spelled, previous)
        )
        self._insert(entry, spelled)
        return entry

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
        return f"{self.name} has grown since entry {after} was read: somebody else decided first; run the command again"

    def _verify(self, entries: Sequence[Any]) -> None:
        previous = GENESIS
        for place, entry in enumerate(entries, start=1):
            expected = _hash(entry.sequence, entry.written_at, entry.content, entry.previous_hash)
            if entry.sequence != place or entry.previous_hash != previous or entry.hash != expected:
                raise ChainBroken(
                    f"{self.name}: entry {place} is not what was written (hash {expected[:12]}, recorded "
                    f"{entry.hash[:12]}); restore the database from a copy"
                )
            previous = entry.hash


def _spell(content: Mapping[str, object]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _hash(sequence: int, written_at: str, spelled: str, previous: str) -> str:
    return hashlib.sha256(f"{sequence}\n{written_at}\n{previous}\n{spelled}".encode()).hexdigest()
