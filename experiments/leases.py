"""Who is working on what: a lease names one owner, is renewed while the owner lives, and lapses when it does not."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Column, Engine, Float, MetaData, String, Table, delete, false, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError

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
        LEASES.metadata.create_all(engine)
        self._engine = engine
        self._owner = _owner(os.getpid())

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
        return any(row.expires > time.time() and not _is_dead(row.owner) for row in rows)

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
            lapsed = or_(LEASES.c.expires < time.time(), true() if _is_dead(owner) else false())
            taken = connection.execute(
                update(LEASES)
                .where(LEASES.c.name == name, LEASES.c.owner == owner, lapsed)
                .values(owner=self._owner, expires=expires)
            )
        return bool(taken.rowcount)

    def _renew(self, name: str, done: threading.Event) -> None:
        while not done.wait(SECONDS / 4):
            with self._engine.begin() as connection:
                mine = (LEASES.c.name == name, LEASES.c.owner == self._owner)
                connection.execute(update(LEASES).where(*mine).values(expires=time.time() + SECONDS))

    def _release(self, name: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(LEASES).where(LEASES.c.name == name, LEASES.c.owner == self._owner))


def _owner(process: int) -> str:
    return f"{socket.gethostname()}:{process}:{_started(process)}"


def _is_dead(owner: str | None) -> bool:
    """Return whether the owner is a process of this host that is gone; of other hosts only the clock tells."""
    host, _, process = (owner or "").partition(":")
    number = process.partition(":")[0]
    return host == socket.gethostname() and number.isdigit() and _owner(int(number)) != owner


def _started(process: int) -> str:
    """Return when a process started, in clock ticks since boot, so that a reused number is told apart.

    A killed process stays in the table as a zombie until its parent looks; it is gone all the same.
    """
    if not Path("/proc/self/stat").exists():
        return _alive(process)
    try:
        told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "gone"
    return "gone" if told[0] in "ZX" else told[19]


def _alive(process: int) -> str:
    """Where there is no /proc, tell at least whether the process lives."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        pass
    return "alive"
