"""Signers in a table of PostgreSQL under another role: what is read, who cannot write, and what is refused."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError

from pipelines.errors import ConfigurationError, RequestError, ThinfileError
from pipelines.ledger.signatures import SignatureRefused, Signers
from pipelines.ledger.signers import VARIABLE, signers_of_environment, signers_of_file
from pipelines.storage.postgresql import address
from tests.postgresql import fresh_database

ROLES = ("signers_owner", "signers_reader")
SQL = Path(__file__).resolve().parents[3] / "docs" / "promotion.md"


@dataclass(frozen=True)
class Table:
    """The table of the documentation, in a database of its own; Thinfile reads it as `signers_reader`."""

    owner: Engine
    reader: str
    folder: Path

    def execute(self, statement: str, **values: object) -> None:
        with self.owner.begin() as connection:
            connection.execute(text(statement), values)

    def key(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True)
        return path

    def public(self, name: str) -> str:
        return Path(f"{self.key(name)}.pub").read_text().strip()

    def add(self, name: str, options: str = "") -> None:
        values = {"principal": name, "options": options, "key": self.public(name)}
        self.execute("insert into signers (principal, options, key) values (:principal, :options, :key)", **values)

    def read(self) -> Signers:
        signers = signers_of_environment(self.folder)
        assert signers is not None
        return signers


@pytest.fixture
def table(postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    database = fresh_database(postgresql)
    (sql,) = re.findall(r"```sql\n(create role signers_owner.*?)```", SQL.read_text(), re.DOTALL)
    administrator = create_engine(address(database))
    with administrator.begin() as connection:
        for statement in filter(str.strip, re.sub(r"--.*", "", sql).split(";")):
            connection.execute(text(statement))
    owner = create_engine(administrator.url.set(username="signers_owner", password="..."))
    reader = administrator.url.set(drivername="postgresql", username="signers_reader", password="s3cret-reader")
    monkeypatch.setenv(VARIABLE, reader.render_as_string(hide_password=False))
    yield Table(owner, reader.render_as_string(hide_password=False), tmp_path)
    owner.dispose()
    with administrator.begin() as connection:
        for role in ROLES:
            connection.execute(text(f"drop owned by {role} cascade"))
            connection.execute(text(f"drop role {role}"))
    administrator.dispose()


def test_a_table_has_the_same_content_and_hash_as_a_file(table: Table) -> None:
    table.execute("delete from signers")
    table.add("anna", 'valid-before="20990101",namespaces="thinfile-promotion"')
    table.add("bert")
    lines = f'anna valid-before="20990101",namespaces="thinfile-promotion" {table.public("anna").rpartition(" ")[0]}\n'
    lines += f"bert {table.public('bert').rpartition(' ')[0]}\n"
    (table.folder / "allowed").write_text(lines)
    file, signers = signers_of_file(table.folder / "allowed", table.folder), table.read()
    assert (signers.text, signers.hash, signers.count) == (file.text, file.hash, 2)
    signature = signers.sign("a message", table.key("anna"))
    assert signers.check("a message", signature, "anna") == file.check("a message", signature, "anna")
    assert signers.owner(table.key("bert")) == "bert"


def test_validity_and_revocation_count(table: Table) -> None:
    table.add("anna", 'valid-before="20200101"')
    table.add("bert")
    before = table.read()
    with pytest.raises(SignatureRefused, match=r"the signature of anna does not verify against table public\.signers"):
        before.check("a message", before.sign("a message", table.key("anna")), "anna")
    signature = before.sign("a message", table.key("bert"))
    assert before.check("a message", signature, "bert")
    table.execute("update signers set revoked = true where principal = 'bert'")
    after = table.read()
    assert (before.hash, before.state) != (after.hash, after.state)
    assert before.hash == after.hash
    with pytest.raises(SignatureRefused, match="bert does not verify"):
        after.check("a message", signature, "bert")


def test_the_role_of_thinfile_cannot_write(table: Table) -> None:
    as_reader = create_engine(address(table.reader))
    for statement in (
        "insert into signers (principal, key) values ('mallory', 'ssh-ed25519 AAAA')",
        "update signers set revoked = false",
        "delete from signers",
        "truncate signers",
        "drop table signers",
        "alter table signers owner to signers_reader",
        "create table public.another (x int)",
    ):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), as_reader.begin() as connection:
            connection.execute(text(statement))
    as_reader.dispose()


@pytest.mark.parametrize(
    "grant",
    [
        "grant insert on signers to signers_reader",
        "grant update (key) on signers to signers_reader",
        "grant truncate on signers to signers_reader",
        "grant signers_owner to signers_reader",
    ],
)
def test_a_role_of_thinfile_that_can_write_is_refused(table: Table, grant: str) -> None:
    table.add("anna")
    as_administrator = create_engine(table.owner.url.set(username="postgres", password=None))
    with as_administrator.begin() as connection:
        connection.execute(text(grant))
    as_administrator.dispose()
    with pytest.raises(
        ThinfileError, match=r"role signers_reader of THINFILE_SIGNERS can change table public\.signers"
    ):
        table.read()


def test_the_role_of_the_ledger_may_not_write_to_it_either(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    table.add("anna")
    monkeypatch.setenv("THINFILE_DATABASE", table.reader.replace("signers_reader:s3cret-reader", "postgres"))
    with pytest.raises(ThinfileError, match=r"role postgres of THINFILE_DATABASE can change table public\.signers"):
        table.read()
    monkeypatch.setenv("THINFILE_DATABASE", "postgresql://postgres@another-host/ledger")
    assert table.read().count == 1


def test_a_table_that_is_put_before_it_is_not_read(table: Table) -> None:
    table.add("anna")
    as_administrator = create_engine(table.owner.url.set(username="postgres", password=None))
    with as_administrator.begin() as connection:  # what a role that may create schemas could do
        connection.execute(text("create schema signers_reader"))
        connection.execute(text("create table signers_reader.signers as select * from public.signers where false"))
        connection.execute(text("grant usage on schema signers_reader to signers_reader"))
        connection.execute(text("grant select on signers_reader.signers to signers_reader"))
    assert table.read().count == 1
    with as_administrator.begin() as connection:
        connection.execute(text("drop schema signers_reader cascade"))
    as_administrator.dispose()


@pytest.mark.parametrize(
    ("principal", "options", "key"),
    [
        ("anna\nmallory ssh-ed25519 AAAA", "", "ssh-ed25519 BBBB"),
        ("anna", 'valid-before="20990101"\nmallory', "ssh-ed25519 BBBB"),
        ("anna", "", "ssh-ed25519 BBBB\nmallory ssh-ed25519 AAAA"),
        ("anna bert", "", "ssh-ed25519 BBBB"),
        ("#anna", "", "ssh-ed25519 BBBB"),
        ("anna", "", "BBBB"),
        ("", "", "ssh-ed25519 BBBB"),
    ],
)
def test_a_row_is_one_line_of_a_file(table: Table, principal: str, options: str, key: str) -> None:
    statement = "insert into signers (principal, options, key) values (:principal, :options, :key)"
    table.execute(statement, principal=principal, options=options, key=key)
    with pytest.raises(RequestError, match=r"in table public\.signers of .* is not a signer; a principal is one word"):
        table.read()


def test_what_cannot_be_read_is_named_without_the_password(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        f"{table.reader}&table=nowhere": (RequestError, r"table public.nowhere of .* cannot be read .* does not exist"),
        f"{table.reader}&table=a.b.c": (ConfigurationError, r"names the table 'a.b.c'; write \?table=NAME"),
        f"{table.reader}&table=x;drop": (ConfigurationError, "names the table 'x;drop'"),
        table.reader.replace("/fresh", "/not_fresh"): (ThinfileError, "of THINFILE_SIGNERS does not answer"),
        "mysql://a:s3cret-reader@b/c": (ConfigurationError, "THINFILE_SIGNERS must be an address of PostgreSQL"),
    }
    for named, (error, message) in wrong.items():
        monkeypatch.setenv(VARIABLE, named)
        with pytest.raises(error, match=message) as raised:
            signers_of_environment(table.folder)
        assert "s3cret-reader" not in str(raised.value)
    table.execute("revoke select on signers from signers_reader")
    monkeypatch.setenv(VARIABLE, table.reader)
    with pytest.raises(RequestError, match=r"cannot be read \(permission denied"):
        signers_of_environment(table.folder)
