"""Locks of workers in a database: each has one owner, is renewed while the owner lives and expires when it does not."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from uuid import uuid4

from sqlalchemy import (
    Column,
    ColumnElement,
    Engine,
    Float,
    MetaData,
    String,
    Table,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.schema import CreateTable

from pipelines.storage.process import is_dead, process_identity

SECONDS = 60.0
"""A lock that was not renewed for this long has expired."""

WAIT_SECONDS = 0.2

IDENTITY = "identity of these locks"
"""The name of the row that is no lock."""

LOCKS = Table(
    "thinfile_leases",
    MetaData(),
    Column("name", String(300), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("expires", Float, nullable=False),
)


class WorkerLocks:
    """The locks kept in one database; of any number of workers that request a name, one gets it.

    The locks of a worker of this host that has died expire at once, so that a killed command can be run again without
    waiting.
    """

    def __init__(self, engine: Engine) -> None:
        with engine.begin() as connection:  # several workers may start at once: the first one makes the table
            connection.execute(CreateTable(LOCKS, if_not_exists=True))
        self._engine = engine
        self._owner = process_identity()

    @cached_property
    def identity(self) -> str:
        """What distinguishes these locks from those of other databases, and of copies of a file on other hosts."""
        drawn = self._drawn()
        if drawn is None:
            self._insert(IDENTITY, uuid4().hex)  # of several workers the first one wins
            drawn = self._drawn()
        return f"{drawn}@{socket.gethostname()}" if self._engine.dialect.name == "sqlite" else str(drawn)

    def _drawn(self) -> str | None:
        with self._engine.connect() as connection:
            return connection.execute(select(LOCKS.c.owner).where(LOCKS.c.name == IDENTITY)).scalar_one_or_none()

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """Yield whether the lock was acquired; it is renewed until the block ends."""
        if not self._acquire(name):
            yield False
            return
        done = threading.Event()
        renewer = threading.Thread(target=self._renew, args=(name, done), daemon=True)
        renewer.start()
        try:
            yield True
        finally:
            done.set()
            renewer.join()
            self._release(name)

    @contextmanager
    def waited_for(self, name: str) -> Iterator[None]:
        """Wait for the lock and hold it until the block ends."""
        while True:
            with self.held(name) as mine:
                if mine:
                    yield
                    return
            time.sleep(WAIT_SECONDS)

    @contextmanager
    def held_as_worker(self, study: str) -> Iterator[None]:
        """Count as one of the study's workers until the block ends."""
        with self.held(f"{study}/worker/{self._owner}"):
            yield

    def has_worker(self, study: str) -> bool:
        """Return whether a living worker works on the study."""
        query = select(LOCKS.c.owner).where(LOCKS.c.name.startswith(f"{study}/worker/"), LOCKS.c.expires > self._now())
        with self._engine.connect() as connection:
            owners = connection.execute(query).scalars().all()
        return not all(map(is_dead, owners))

    def studies_with_workers(self) -> set[str]:
        """Return the studies that a living worker works on."""
        query = select(LOCKS.c.name, LOCKS.c.owner).where(
            LOCKS.c.name.contains("/worker/"), LOCKS.c.expires > self._now()
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {name.partition("/")[0] for name, owner in rows if not is_dead(owner)}

    def _now(self) -> ColumnElement[float]:
        """Return the database's time where it has a clock of its own, for the clocks of hosts differ."""
        if self._engine.dialect.name == "postgresql":
            return cast(func.extract("epoch", func.clock_timestamp()), Float)
        return literal(time.time())

    def _acquire(self, name: str) -> bool:
        query = select(LOCKS.c.owner, LOCKS.c.expires, (LOCKS.c.expires < self._now()).label("is_over"))
        with self._engine.connect() as connection:
            row = connection.execute(query.where(LOCKS.c.name == name)).one_or_none()
        if row is None:
            return self._insert(name, self._owner)
        return (row.is_over or is_dead(row.owner)) and self._take_over(name, row.owner, row.expires)

    def _insert(self, name: str, owner: str) -> bool:
        try:
            with self._engine.begin() as connection:
                expires = self._now() + SECONDS
                connection.execute(insert(LOCKS).values(name=name, owner=owner, expires=expires))
        except IntegrityError:
            return False
        return True

    def _take_over(self, name: str, owner: str, expires: float) -> bool:
        """Replace an owner; the condition on the row lets one of several workers win."""
        with self._engine.begin() as connection:
            taken = connection.execute(
                update(LOCKS)
                .where(LOCKS.c.name == name, LOCKS.c.owner == owner, LOCKS.c.expires == expires)
                .values(owner=self._owner, expires=self._now() + SECONDS)
            )
        return bool(taken.rowcount)

    def _renew(self, name: str, done: threading.Event) -> None:
        while not done.wait(SECONDS / 4):
            with suppress(OperationalError), self._engine.begin() as connection:  # busy now: there is time to try again
                mine = (LOCKS.c.name == name, LOCKS.c.owner == self._owner)
                connection.execute(update(LOCKS).where(*mine).values(expires=self._now() + SECONDS))

    def _release(self, name: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(LOCKS).where(LOCKS.c.name == name, LOCKS.c.owner == self._owner))
