"""Connects to PostgreSQL: the address, a check that it answers, and a lock that it frees when the holder dies."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Engine, create_engine, func, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, ProgrammingError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateSchema

from pipelines.errors import ConfigurationError, ThinfileError

DATABASE = "THINFILE_DATABASE"
"""The variable that names the database shared by workspaces."""

DRIVER = "postgresql+psycopg"
SPELLINGS = ("postgresql", "postgres", DRIVER)
SECONDS_TO_ANSWER = "10"
DEAD_AFTER = "set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3"
"""A lock whose holder's machine lost its power is free after a minute, not after two hours."""


def url_of(database: str, variable: str = DATABASE) -> URL:
    """Return the address of a database, which an environment variable has, with our driver in it.

    Raises:
        ConfigurationError: it is not an address of PostgreSQL; the message leaves it out, for it may have a password.
    """
    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in SPELLINGS:
        received = "another text" if url is None else f"{url.drivername}://..."
        raise ConfigurationError(
            f"{variable} must be an address of PostgreSQL, received {received}; "
            "write postgresql://USER@HOST:PORT/DATABASE, or leave it empty for files"
        )
    timeout = {} if "connect_timeout" in url.query else {"connect_timeout": SECONDS_TO_ANSWER}
    return url.set(drivername=DRIVER).update_query_dict(timeout)


def address(database: str, variable: str = DATABASE) -> str:
    """Return the whole address, password included, for those who connect.

    >>> address("postgresql://anna:a b%23@host/scores?connect_timeout=5")
    'postgresql+psycopg://anna:a%20b%23@host/scores?connect_timeout=5'
    """
    return _rendered(url_of(database, variable))


def _rendered(url: URL) -> str:
    """Return an address as text; a space, which SQLAlchemy leaves as it is, would end it for those who redact it."""
    return url.render_as_string(hide_password=False).replace(" ", "%20")


def in_schema(database: str, schema: str) -> str:
    """Return the whole address with a schema that its tables are made in and looked up in.

    >>> in_schema("postgresql://anna@host/scores?connect_timeout=5", "studies")
    'postgresql+psycopg://anna@host/scores?connect_timeout=5&options=-csearch_path%3Dstudies'
    """
    url = url_of(database)
    given = url.query.get("options", ())
    options = " ".join([given] if isinstance(given, str) else given)
    url = url.update_query_dict({"options": f"{options} -csearch_path={schema}".strip()})
    return _rendered(url)


def make_schema(engine: Engine, schema: str) -> None:
    """Make a schema where it does not exist.

    Raises:
        ThinfileError: the user must not.
    """
    if inspect(engine).has_schema(schema):  # to make one that exists takes the privilege too
        return
    try:
        with engine.begin() as connection:
            connection.execute(CreateSchema(schema))
    except ProgrammingError as error:
        raise ThinfileError(
            f"schema {schema} cannot be created in the database of THINFILE_DATABASE ({_line(error)}); let its owner "
            f"run: create schema {schema} authorization {engine.url.username}"
        ) from error


def shown(database: str) -> str:
    """Return the address with stars for the password.

    >>> shown("postgresql://anna:secret@host/scores?connect_timeout=5")
    'postgresql+psycopg://anna:***@host/scores?connect_timeout=5'
    """
    url = url_of(database)
    secret = {key: "***" for key in url.query if "password" in key}
    return url.update_query_dict(secret).render_as_string(hide_password=True)


def open_engine(database: str, variable: str = DATABASE) -> Engine:
    """Return an engine whose connections are opened when used and closed after, once the server has answered.

    Raises:
        ConfigurationError: not an address of PostgreSQL, or its driver is not installed.
        ThinfileError: the server does not answer or refuses the connection.
    """
    try:
        engine = create_engine(url_of(database, variable), poolclass=NullPool)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{variable} is set and the PostgreSQL driver {error.name} is not installed; "
            "pip install 'thinfile[postgresql]'"
        ) from error
    try:
        engine.connect().close()
    except DBAPIError as error:
        raise ThinfileError(
            f"the database {shown(database)} of {variable} does not answer "
            f"({_first_line(error, database)}); start it, or correct the address, user and password"
        ) from None  # the cause's traceback may hold the password
    return engine


@contextmanager
def advisory_lock(engine: Engine, name: str) -> Iterator[None]:
    """Hold the lock of a name for the length of the block; the server frees it when its holder is gone.

    Raises:
        ThinfileError: the connection was lost in the block, and the lock with it.
    """
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(DEAD_AFTER))
        connection.execute(select(func.pg_advisory_lock(key)))
        yield
        try:
            connection.execute(select(func.pg_advisory_unlock(key)))
        except DBAPIError as error:
            raise ThinfileError(
                f"the connection to the database was lost while '{name}' was locked "
                f"({_line(error)}); see what was done with `thinfile promote verify`"
            ) from error


def _first_line(error: DBAPIError, database: str) -> str:
    password = url_of(database).password
    line = _line(error)
    return line.replace(str(password), "***") if password else line


def _line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]
