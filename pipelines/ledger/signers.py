"""Where the allowed signers are: a file, or a table of PostgreSQL that belongs to another role than Thinfile's."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Boolean, Column, Connection, MetaData, Table, Text, select, text
from sqlalchemy.exc import DBAPIError

from pipelines.errors import ConfigurationError, RequestError, ThinfileError
from pipelines.ledger.signatures import Signers
from pipelines.storage.postgresql import open_engine, shown, url_of

VARIABLE = "THINFILE_SIGNERS"
"""The environment variable that names the signers: outside every policy and every override."""

DATABASE = "THINFILE_DATABASE"
TABLE = "public.signers"
"""The table where the address names none with ?table=NAME. A schema is always named, so that a role that may create
schemas cannot put another table before it."""

WRITERS = text("""
select roles.rolname from pg_class tables join pg_namespace schemas on schemas.oid = tables.relnamespace, pg_roles roles
where tables.oid = to_regclass(:name) and roles.rolname = any(:roles) and (
  has_table_privilege(roles.oid, tables.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
  or has_any_column_privilege(roles.oid, tables.oid, 'INSERT, UPDATE')
  or pg_has_role(roles.oid, tables.relowner, 'MEMBER') or pg_has_role(roles.oid, schemas.nspowner, 'MEMBER'))
""")
"""The roles, among those that Thinfile uses, that can change a table or put another one in its place."""


def signers_of_environment(scratch: Path) -> Signers | None:
    """Return the signers that THINFILE_SIGNERS names, None where it is not set.

    Raises:
        RequestError: it does not name a file, or a table that can be read.
        ThinfileError: the database of the table does not answer, or one of Thinfile's own roles can change the table.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    return signers_of_table(named, scratch) if "://" in named else signers_of_file(Path(named), scratch)


def signers_of_file(path: Path, scratch: Path) -> Signers:
    """Return the signers of a file; keys in the file beside it that ends in `.revoked` do not count.

    Raises:
        RequestError: it is not a text file.
    """
    path = path.expanduser().resolve()
    revoked = path.with_name(f"{path.name}.revoked")
    try:
        lines = path.read_bytes().decode()
        return Signers(lines, str(path), scratch, revoked.read_bytes() if revoked.exists() else b"")
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not a text file"
        if isinstance(error, OSError):
            reason = str(error.strerror) if path.exists() else "there is no such file"
        raise RequestError(
            f"{VARIABLE}='{path}' cannot be read ({reason}); write one line per person: NAME KEYTYPE KEY (man "
            "ssh-keygen, ALLOWED SIGNERS)"
        ) from error


def signers_of_table(address: str, scratch: Path) -> Signers:
    """Return the signers of a table with the columns principal, options, key and revoked. Raises as the environment's.

    A row is a line of an `allowed_signers` file; its key counts never more once it is revoked.
    """
    url = url_of(address, VARIABLE)
    named = str(url.query.get("table", TABLE))
    name = named if "." in named else f"public.{named}"
    if not re.fullmatch(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", name):
        raise ConfigurationError(
            f"{VARIABLE} names the table '{named}'; write ?table=NAME or ?table=SCHEMA.NAME in letters, digits and _"
        )
    url = url.difference_update_query(["table"])
    database = url.render_as_string(hide_password=False)
    source = f"table {name} of {shown(database)}"
    with open_engine(database, VARIABLE).connect() as connection:
        try:
            _require_no_writer(connection, name, source)
            rows = _rows(connection, *name.split("."))
        except DBAPIError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise RequestError(
                f"the signers in {source} cannot be read ({reason}); make the table as docs/promotion.md has it, and "
                "grant select on it"
            ) from None  # the cause's traceback may hold the password
    lines = [_line(principal, options, key, source) for principal, options, key, _ in rows]
    revoked = [" ".join(key.split()[:2]) for _, _, key, is_revoked in rows if is_revoked]
    return Signers(_joined(lines), source, scratch, _joined(revoked).encode())


def _require_no_writer(connection: Connection, name: str, source: str) -> None:
    """Raise ThinfileError where a role that Thinfile uses can change the table, so that its signers prove nothing."""
    ours, database = connection.engine.url, os.environ.get(DATABASE)
    roles = {str(connection.execute(text("select current_user")).scalar()): VARIABLE}
    if database:
        theirs = url_of(database)
        is_same = (theirs.host, theirs.port, theirs.query.get("host")) == (ours.host, ours.port, ours.query.get("host"))
        roles |= {str(theirs.username): DATABASE} if is_same else {}
    quoted = ".".join(f'"{part}"' for part in name.split("."))
    writer = connection.execute(WRITERS, {"name": quoted, "roles": list(roles)}).scalar()
    if writer is not None:
        raise ThinfileError(
            f"role {writer} of {roles[writer]} can change {source}, so its signers prove nothing; let another role own "
            "the table and its schema, and grant select alone (docs/promotion.md)"
        )


def _rows(connection: Connection, schema: str, name: str) -> list[tuple[str, str, str, bool]]:
    columns = [Column(column, Text) for column in ("principal", "options", "key")]
    table = Table(name, MetaData(), *columns, Column("revoked", Boolean), schema=schema)
    return sorted((p or "", o or "", k or "", bool(r)) for p, o, k, r in connection.execute(select(table)))


def _line(principal: str, options: str, key: str, source: str) -> str:
    """Return one line of an allowed signers file. Raises RequestError for a row that would be another one, or two."""
    is_one = len(principal.split()) == 1 and len(key.split()) >= 2 and "#" not in principal
    if not is_one or len((principal + options + key).splitlines()) != 1:
        raise RequestError(
            f"the row of '{principal}' in {source} is not a signer; a principal is one word, options are on one line, "
            "and a key is KEYTYPE KEY"
        )
    return " ".join([principal, *([options.strip()] if options.strip() else []), *key.split()[:2]])


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
