"""Locks of workers in a database: each has one owner, is renewed while the owner lives and expires when it does not."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Column, Engine, Float, MetaData, String, Table, delete, false, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.schema import CreateTable

from pipelines.storage.process import is_dead, process_identity

SECONDS = 60.0
"""A lock that was not renewed for this long has expired. The clocks of hosts must agree better than this."""

WAIT_SECONDS = 0.2

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
        query = select(LOCKS.c.owner, LOCKS.c.expires).where(LOCKS.c.name.startswith(f"{study}/worker/"))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return any(row.expires > time.time() and not is_dead(row.owner) for row in rows)

    def _acquire(self, name: str) -> bool:
        expires = time.time() + SECONDS
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(LOCKS).values(name=name, owner=self._owner, expires=expires))
            return True
        except IntegrityError:
            return self._take_over(name, expires)

    def _take_over(self, name: str, expires: float) -> bool:
        """Replace an owner whose lock has expired; the condition on the row lets one of several workers win."""
        with self._engine.begin() as connection:
            owner = connection.execute(select(LOCKS.c.owner).where(LOCKS.c.name == name)).scalar()
            expired = or_(LOCKS.c.expires < time.time(), true() if is_dead(owner or "") else false())
            taken = connection.execute(
                update(LOCKS)
                .where(LOCKS.c.name == name, LOCKS.c.owner == owner, expired)
                .values(owner=self._owner, expires=expires)
            )
        return bool(taken.rowcount)

    def _renew(self, name: str, done: threading.Event) -> None:
        while not done.wait(SECONDS / 4):
            with suppress(OperationalError), self._engine.begin() as connection:  # busy now: there is time to try again
                mine = (LOCKS.c.name == name, LOCKS.c.owner == self._owner)
                connection.execute(update(LOCKS).where(*mine).values(expires=time.time() + SECONDS))

    def _release(self, name: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(LOCKS).where(LOCKS.c.name == name, LOCKS.c.owner == self._owner))
