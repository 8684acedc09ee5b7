"""The folders and databases below which Thinfile writes."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import RequestError
from pipelines.secrets.private_files import FILE
from pipelines.storage.atomic_files import scratch_folder


@dataclass(frozen=True)
class Workspace:
    """The folders and databases below one root; nothing is created before it is written to.

    `database`, when given, is the address of the PostgreSQL database that takes the place of `mlflow.db`, `chain.db`
    and `studies.db`, and that other workspaces may use too; files stay below the root.
    """

    root: Path
    database: str | None = field(default=None, repr=False)

    @classmethod
    def at(cls, path: str) -> "Workspace":
        """Return the workspace at a path, made absolute so that stored addresses outlive the working directory.

        Its database is the one that the environment variable THINFILE_DATABASE names, SQLite when it is not set.
        """
        return cls(Path(path).expanduser().resolve(), os.environ.get("THINFILE_DATABASE") or None)

    @classmethod
    def existing(cls, path: str) -> "Workspace":
        """Return the workspace at a path. Raises RequestError where there is none: a misspelt one has no findings."""
        workspace = cls.at(path)
        if not workspace.root.is_dir():
            raise RequestError(f"'{workspace.root}' is not a workspace; correct workspace=...")
        return workspace

    @property
    def lake(self) -> Path:
        """Tables as they were read, and the quarantine."""
        return self.root / "lake"

    @property
    def quarantine(self) -> Path:
        """Rows that broke their contract, with the rule each broke."""
        return self.lake / "quarantine"

    @property
    def score_log(self) -> Path:
        """Decisions, and beside them the features and protected attributes they were made on."""
        return self.root / "score_log"

    @property
    def serving(self) -> Path:
        """What the service keeps: its journal of decisions, API keys and counters."""
        return self.root / "serving"

    @property
    def policies(self) -> Path:
        """The policies that decisions were made under, each named by its hash."""
        return self.root / "policies"

    @property
    def reports(self) -> Path:
        """Reports to open in a browser."""
        return self.root / "reports"

    @property
    def alarms(self) -> Path:
        """Events of alarms, and the settings of the retrainings that they opened."""
        return self.root / "alarms"

    @property
    def artifacts(self) -> Path:
        """Files of MLflow runs and models."""
        return self.root / "artifacts"

    @property
    def evidently(self) -> Path:
        """The Evidently workspace that `evidently ui` shows."""
        return self.root / "evidently"

    @property
    def studies(self) -> Path:
        """The SQLite database of Optuna studies and their worker locks."""
        return self.root / "studies.db"

    @property
    def mlflow(self) -> Path:
        """The SQLite database of MLflow runs and the model registry."""
        return self.root / "mlflow.db"

    @property
    def chain(self) -> Path:
        """The SQLite database of the hash chains: the promotion ledgers, the reviews, the erasures and the alarms."""
        return self.root / "chain.db"

    @property
    def identity(self) -> Path:
        """The file with the workspace's id, which it has where it shares a database with others."""
        return self.root / "workspace.id"

    @property
    def heads(self) -> Path:
        """How far the chains of reviews, erasures and alarms reach, so that a removed last entry is found."""
        return self.root / "chain_heads"


def sqlite_url(path: Path) -> str:
    """Return the SQLAlchemy address of a SQLite file.

    MLflow creates the folder that follows `sqlite:///` as it is written, so that an encoded path names the driver too.

    >>> sqlite_url(Path("/tmp/a b/mlflow.db")), sqlite_url(Path("/tmp/50% {a}?/mlflow.db"))
    ('sqlite:////tmp/a b/mlflow.db', 'sqlite+pysqlite:////tmp/50%25 %7Ba%7D%3F/mlflow.db')
    """
    from sqlalchemy import URL  # most commands of a workspace open no database

    url = URL.create("sqlite", database=str(path))
    rendered = url.render_as_string()
    return rendered if rendered == f"sqlite:///{path}" else url.set(drivername="sqlite+pysqlite").render_as_string()


@contextmanager
def new_sqlite(path: Path) -> Iterator[Path]:
    """Yield a path to build a database at, and link it into place when the block ends.

    Of several workers that build at once the first one wins; one killed half-way leaves nothing that could be taken for
    a database. The new database allows reading while it is written to (WAL).
    """
    with scratch_folder(path.parent) as folder:
        fresh = folder / path.name
        yield fresh
        connection = sqlite3.connect(fresh)
        connection.execute("pragma journal_mode=wal")
        connection.close()
        fresh.chmod(fresh.stat().st_mode & FILE)
        with suppress(FileExistsError):
            os.link(fresh, path)
