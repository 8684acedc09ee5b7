"""A table that a database returns: one SELECT, read in batches into a Parquet file with one type for each column."""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from pipelines.command.progress import progress
from pipelines.errors import ConfigurationError, DataError, ThinfileError
from pipelines.reading.tables import as_text
from pipelines.secrets.environment_text import EnvironmentText
from pipelines.secrets.private_files import make_folder
from pipelines.secrets.redaction import is_secret_key, redacted
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.postgresql import DRIVER, SPELLINGS

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

log = logging.getLogger(__name__)

AT_ONCE = 50_000
"""Rows of a batch."""


@contextmanager
def opened_query(database: str, query: str, root: Path, *, setting: str, database_setting: str) -> Iterator[Path]:
    """Yield a Parquet file below `root` with the rows of a SELECT, in the order in which the database returns them.

    The query runs in a transaction that is rolled back, and that is read-only on PostgreSQL. Errors of the block name
    the setting of the query.

    Raises:
        ConfigurationError: the address is not one of a database, its driver is not installed, or it has a password
            that is not from the environment.
        DataError: the database does not answer, the query fails, or two of its columns have one name.
    """
    url = _url_of(database, database_setting)
    with scratch_folder(root) as scratch:
        path = scratch / "query.parquet"
        with _connected(url, database_setting) as connection:
            _write(connection, query, path, setting)
        if not re.search(r"\border\s+by\b", query, re.IGNORECASE):
            log.warning(
                "%s has no ORDER BY: the database may return the rows in another order, which is other data for "
                "replay; add one",
                setting,
            )
        try:
            yield path
        except ThinfileError as error:
            error.args = (str(error).replace(str(path), setting),)
            raise


def shown_database(database: str) -> str:
    """Return the address of a database as records and messages have it: without a password."""
    return redacted(database.unresolved if isinstance(database, EnvironmentText) else database)


def _url_of(database: str, setting: str) -> "URL":
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(str(database))
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            f"{setting} is not the address of a database; write for example postgresql://USER@HOST/DATABASE"
        ) from None  # the cause's message may have a password
    has_secret = url.password is not None or any(is_secret_key(key) for key in url.query)
    if has_secret and not isinstance(database, EnvironmentText):
        raise ConfigurationError(
            f"{setting} has a password, which records would lose; set PGPASSWORD or write "
            f"{setting}='${{oc.env:NAME}}' with the address in the variable NAME"
        )
    return url.set(drivername=DRIVER) if url.drivername in SPELLINGS else url


@contextmanager
def _connected(url: "URL", setting: str) -> "Iterator[Connection]":
    from sqlalchemy import create_engine
    from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    try:
        engine = create_engine(url, poolclass=NullPool)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        advice = "pip install 'thinfile[postgresql]'" if url.drivername == DRIVER else "install its driver"
        raise ConfigurationError(
            f"{setting} is {url.drivername}://..., whose driver is not installed ({error}); {advice}"
        ) from None
    address = redacted(url.render_as_string(hide_password=True))
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise DataError(
            f"the database {address} of {setting} cannot be read ({_reason(error, url)}); start it, or correct the "
            "address, the user and the password in the environment"
        ) from None  # the cause's traceback may have the password


def _write(connection: "Connection", query: str, path: Path, setting: str) -> None:
    """Write the rows of a query; batches come first, because a later one may show that a column has another type."""
    from sqlalchemy.exc import SQLAlchemyError

    streamed = connection.execution_options(
        stream_results=True, yield_per=AT_ONCE, no_parameters=True, postgresql_readonly=True
    )
    folder = path.with_name("batches")
    make_folder(folder)
    schemas = []
    try:
        result = streamed.exec_driver_sql(query.strip().rstrip(";"))
        if not result.returns_rows:
            raise DataError(f"{setting} returns no rows and no columns; write one SELECT")
        names = _names(list(result.keys()), setting)
        with progress("query", None, log) as advance:
            for number, rows in enumerate(result.partitions(AT_ONCE)):
                table = pa.table(
                    {name: _array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
                )
                pq.write_table(table, folder / f"{number}.parquet")
                schemas.append(table.schema)
                advance(number + 1, f"{number * AT_ONCE + len(rows):,} rows")
    except SQLAlchemyError as error:
        raise DataError(f"{setting} cannot be run ({_reason(error, connection.engine.url)}); correct it") from None
    schema = pa.schema([(name, _type_of([one.field(name).type for one in schemas])) for name in names])
    with pq.ParquetWriter(path, schema) as writer:
        for number in range(len(schemas)):
            writer.write_table(_as(pq.read_table(folder / f"{number}.parquet"), schema))


def _names(names: Sequence[str], setting: str) -> list[str]:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise DataError(f"{setting} returns two columns '{repeated[0]}'; give each its own name with AS")
    return list(names)


def _array(values: Sequence[Any]) -> pa.Array:
    """Return values of a driver in the type that Arrow finds; as text where they have none in common."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.array([None if one is None else str(one) for one in values], pa.string())


def _type_of(kinds: Sequence[pa.DataType]) -> pa.DataType:
    """Return the type of a column from those of its batches; a batch without a value has none.

    Whole numbers of one batch and others of another are text: a double would take the last digits of long ids.
    """
    if any(map(pt.is_integer, kinds)) and any(map(pt.is_floating, kinds)):
        return pa.string()
    fields = [pa.schema([("column", kind)]) for kind in kinds]
    try:
        return pa.unify_schemas(fields, promote_options="permissive").field(0).type if fields else pa.null()
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.string()


def _as(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        as_text(column) if field.type == pa.string() and column.type != field.type else column.cast(field.type)
        for field, column in zip(schema, table.columns, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _reason(error: Exception, url: "URL") -> str:
    """Return the first line of a driver's message without the password."""
    line = (str(getattr(error, "orig", None) or error).strip() or type(error).__name__).splitlines()[0]
    return redacted(line.replace(str(url.password), "***") if url.password else line)
