"""Who is working on what: a lease names one owner, is renewed while the owner lives, and lapses when it does not."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Column, Engine, Float, MetaData, String, Table, delete, false, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.schema import CreateTable

from pipelines.storage.process import is_dead, process_identity

SECONDS = 60.0
"""A lease that was not renewed for so long has lapsed. Clocks of hosts must agree better than this."""

WAIT_SECONDS = 0.2

LEASES = Table(
    "thinfile_leases",
    MetaData(),
    Column("name", String(300), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("expires", Float, nullable=False),
)


class Leases:
    """The leases kept in one database; of any number of workers that ask for a name, one gets it.

    A worker of this host that has died holds nothing: its leases lapse at once, so that a killed command can be run
    again without waiting.
    """

    def __init__(self, engine: Engine) -> None:
        with engine.begin() as connection:  # several workers may start at once: whoever comes first makes the table
            connection.execute(CreateTable(LEASES, if_not_exists=True))
        self._engine = engine
        self._owner = process_identity()

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """Yield whether the lease was got; while it is held, it is renewed."""
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
        """Hold the lease, once those who had it before are done."""
        while True:
            with self.held(name) as mine:
                if mine:
                    yield
                    return
            time.sleep(WAIT_SECONDS)

    @contextmanager
    def held_as_worker(self, study: str) -> Iterator[None]:
        """Be known as one of the study's workers."""
        with self.held(f"{study}/worker/{self._owner}"):
            yield

    def has_worker(self, study: str) -> bool:
        """Return whether a living worker is on the study."""
        query = select(LEASES.c.owner, LEASES.c.expires).where(LEASES.c.name.startswith(f"{study}/worker/"))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return any(row.expires > time.time() and not is_dead(row.owner) for row in rows)

    def _acquire(self, name: str) -> bool:
        expires = time.time() + SECONDS
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(LEASES).values(name=name, owner=self._owner, expires=expires))
            return True
        except IntegrityError:
            return self._take_over(name, expires)

    def _take_over(self, name: str, expires: float) -> bool:
        """Replace a lapsed owner; the condition on the row makes one of several takers win."""
        with self._engine.begin() as connection:
            owner = connection.execute(select(LEASES.c.owner).where(LEASES.c.name == name)).scalar()
            lapsed = or_(LEASES.c.expires < time.time(), true() if is_dead(owner or "") else false())
            taken = connection.execute(
                update(LEASES)
                .where(LEASES.c.name == name, LEASES.c.owner == owner, lapsed)
                .values(owner=self._owner, expires=expires)
            )
        return bool(taken.rowcount)

    def _renew(self, name: str, done: threading.Event) -> None:
        while not done.wait(SECONDS / 4):
            with suppress(OperationalError), self._engine.begin() as connection:  # busy now: there is time to try again
                mine = (LEASES.c.name == name, LEASES.c.owner == self._owner)
                connection.execute(update(LEASES).where(*mine).values(expires=time.time() + SECONDS))

    def _release(self, name: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(LEASES).where(LEASES.c.name == name, LEASES.c.owner == self._owner))
