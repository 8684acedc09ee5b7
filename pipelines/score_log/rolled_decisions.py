"""An index of the service's decisions in the score log; an application has one decision in a period."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipelines.secrets.private_files import make_folder

_TABLES = """
    create table if not exists decided (
        application blob primary key, request blob not null, decision blob not null, file text not null,
        amount integer, term integer
    ) without rowid;
    create index if not exists by_decision on decided (decision);
"""


class Rolled(NamedTuple):
    """A decision that is in the score log: the digests of its application and request, its id, and the file of its row.

    `amount`, in minor units, and `term`, in months, are those of the request, where it had them.
    """

    application: bytes
    request: bytes
    decision: bytes
    file: str
    amount: int | None = None
    term: int | None = None


class RolledDecisions:
    """An index on disk; the supervisor writes it, every worker reads it."""

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def add(self, decisions: Sequence[Rolled]) -> None:
        """Enter decisions, all or none; what is there already stays."""
        self._connection.execute("begin immediate")
        self._connection.executemany("insert or ignore into decided values (?, ?, ?, ?, ?, ?)", decisions)
        self._connection.execute("commit")

    def forget(self, decisions: Sequence[bytes]) -> int:
        """Remove decisions whose rows were erased from the log, by their ids, and return how many there were."""
        self._connection.execute("pragma secure_delete = on")  # not even a digest stays in a free page
        self._connection.execute("begin immediate")
        removed = self._connection.executemany("delete from decided where decision = ?", [(one,) for one in decisions])
        self._connection.execute("commit")
        return removed.rowcount

    def of_application(self, application: bytes) -> Rolled | None:
        """Return the decision of an application in its period."""
        return self._find("application", application)

    def of_decision(self, decision: bytes) -> Rolled | None:
        """Return a decision by its id."""
        return self._find("decision", decision)

    def _find(self, column: str, digest: bytes) -> Rolled | None:
        query = f"select application, request, decision, file, amount, term from decided where {column} = ?"
        row = self._connection.execute(query, (digest,)).fetchone()
        return None if row is None else Rolled(*row)
