"""The raw tables of a marketplace on this machine: those of other file systems and databases are copied first."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import fields, replace
from pathlib import Path

from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.sources import sql_of
from pipelines.reading.locations import is_address, is_elsewhere, opened_location
from pipelines.reading.queries import opened_query


@contextmanager
def opened_raw(raw: RawSettings, root: Path) -> Iterator[RawSettings]:
    """Yield settings whose folder and paths are of this machine, with copies below `root` until the block ends.

    Raises:
        ConfigurationError, DataError: see `sql_of`, `opened_location` and `opened_query`.
    """
    with ExitStack() as stack:
        if is_address(raw.folder):
            folder = stack.enter_context(opened_location(raw.folder, root, setting="raw.folder"))
            raw = replace(raw, folder=str(folder))
        for table in (one.name for one in fields(raw.tables)):
            mapping = raw.tables.of(table)
            if raw.database is not None and mapping.sql is not None:
                path = stack.enter_context(_opened_sql(raw, table, root))
                raw = replace(raw, tables=replace(raw.tables, **{table: replace(mapping, path=str(path), sql=None)}))
            elif mapping.sql is None and (location := _location_of(raw, table)) is not None:
                setting = f"raw.tables.{table}.path"
                path = stack.enter_context(opened_location(location, root, setting=setting))
                raw = replace(raw, tables=replace(raw.tables, **{table: replace(mapping, path=str(path))}))
        yield raw


def _location_of(raw: RawSettings, table: str) -> str | None:
    """Return the address or the Delta table of a table; None for files that are read where they are."""
    location = raw.tables.of(table).path
    if location is None or not is_address(location):
        location = str(Path(raw.folder).expanduser() / (location or table))
    return location if is_elsewhere(location) else None


def _opened_sql(raw: RawSettings, table: str, root: Path) -> AbstractContextManager[Path]:
    sql, setting = sql_of(raw, table), f"raw.tables.{table}.sql"
    return opened_query(raw.database or "", sql, root, setting=setting, database_setting="raw.database")
