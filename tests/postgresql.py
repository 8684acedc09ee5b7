"""A private PostgreSQL server: made empty, reached through a socket of its own, gone afterwards."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from sqlalchemy import URL

USER = "postgres"


def programs() -> Path | None:
    """Return the folder of initdb and pg_ctl, None when PostgreSQL is not installed."""
    found = shutil.which("initdb")
    known = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in reversed(known) if (folder / "pg_ctl").exists()), None)


@contextmanager
def private_server(folder_of_programs: Path, password: str | None = None) -> Iterator[str]:
    """Yield the address of a new server, which lets its user in with a password alone where one is given.

    Its socket's path must be short, so it lies in the system's own /tmp.
    """
    with TemporaryDirectory(prefix="pg", dir="/tmp") as root:
        folder = Path(root)
        if os.getuid() == 0:
            shutil.chown(folder, USER, USER)
        folder.chmod(0o700)
        data, options = folder / "data", f"-k {folder} -h '' -c fsync=off -c max_connections=300"
        _run(
            folder_of_programs / "initdb",
            "-D",
            data,
            "-U",
            USER,
            *_authentication(folder, password),
            "--locale=C",
            "-E",
            "UTF8",
            "--no-sync",
        )
        _run(folder_of_programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            url = URL.create("postgresql", USER, password, database="postgres", query={"host": str(folder)})
            yield url.render_as_string(hide_password=False).replace(" ", "%20")
        finally:
            _run(folder_of_programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")


def fresh_database(server: str, template: str | None = None) -> str:
    """Make an empty database on a server, or a copy of another one that nobody is connected to; return its address."""
    import psycopg

    name = f"fresh_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        source = f" template {template.partition('?')[0].rpartition('/')[2]}" if template else ""
        connection.execute(f"create database {name}{source}")
    return server.replace("/postgres?", f"/{name}?")


def _authentication(folder: Path, password: str | None) -> list[str]:
    if password is None:
        return ["-A", "trust"]
    (folder / "password").write_text(f"{password}\n")
    if os.getuid() == 0:
        shutil.chown(folder / "password", USER)
    return ["-A", "scram-sha-256", f"--pwfile={folder / 'password'}"]


def _run(*command: object) -> None:
    words = [str(word) for word in command]
    if os.getuid() == 0:  # PostgreSQL does not run as root
        words = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *words]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, f"{getpass.getuser()}: {done.stdout}{done.stderr}"
