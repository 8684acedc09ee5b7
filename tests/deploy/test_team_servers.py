"""The databases and the MLflow server of compose.yaml, made on this machine with its own files and commands."""

import base64
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

import psycopg
import pytest
import yaml

from tests.deploy.commands import DEPLOY
from tests.postgresql import private_server, programs

pytestmark = pytest.mark.integration

SERVICES = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
MLFLOW = SERVICES["mlflow"]
PATIENCE = 120.0
SEARCH = "/api/2.0/mlflow/experiments/search?max_results=1"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the secrets that the kit makes."""
    folder = tmp_path_factory.mktemp("kit")
    shutil.copy(DEPLOY / "make_secrets.sh", folder)
    subprocess.run([folder / "make_secrets.sh"], check=True)
    return folder / "secrets"


@pytest.fixture(scope="module")
def databases(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The socket folder of a PostgreSQL server with the databases of the kit."""
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed")
    script = tmp_path_factory.mktemp("sql") / "databases.sql"
    script.write_text((DEPLOY / "postgres" / "databases.sql").read_text().replace("/run/secrets", str(secrets)))
    with private_server(folder) as server:
        done = subprocess.run(["psql", "-X", "-q", server, "-f", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        yield unquote(server.partition("?host=")[2])


def connect(folder: str, user: str, database: str) -> "psycopg.Connection[tuple[object, ...]]":
    """Connect to a database as a role."""
    return psycopg.connect(f"postgresql://{user}@/{database}?host={folder}")


def test_each_role_has_a_password_and_reaches_its_own_databases_alone(databases: str) -> None:
    with connect(databases, "postgres", "postgres") as connection:
        rows = connection.execute(
            "select rolname, left(rolpassword, 13), rolsuper from pg_authid where rolpassword <> ''"
        )
        assert sorted(rows.fetchall()) == [("mlflow", "SCRAM-SHA-256", False), ("thinfile", "SCRAM-SHA-256", False)]
    for user, database in (("thinfile", "thinfile"), ("mlflow", "mlflow"), ("mlflow", "mlflow_auth")):
        with connect(databases, user, database) as connection:
            connection.execute("create table mine (one int)")
            connection.rollback()
    for user, database in (("thinfile", "mlflow"), ("thinfile", "mlflow_auth"), ("mlflow", "thinfile")):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            connect(databases, user, database)


@pytest.fixture(scope="module")
def mlflow_server(databases: str, secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the MLflow server of compose.yaml: its command, its variables, the entry point of the image.

    Its artifacts are beside its log, in the folder `mlflow`.
    """
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def here(text: str) -> str:
        text = re.sub(r"@postgres/(\w+)", rf"@/\1?host={databases}", text).replace("/run/secrets", str(secrets))
        text = text.replace("=/artifacts", f"={folder / 'artifacts'}").replace("=0.0.0.0", "=127.0.0.1")
        text = text.replace("--port=5000", f"--port={port}").replace("127.0.0.1:5000", f"127.0.0.1:{port}")
        return text.replace("/etc/mlflow", str(folder))

    (folder / "basic_auth.ini").write_text(here((DEPLOY / "mlflow" / "basic_auth.ini").read_text()))
    variables = {name: here(value) for name, value in MLFLOW["environment"].items()}
    program, *words = map(here, MLFLOW["command"])
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [DEPLOY / "entrypoint.sh", sys.executable, "-m", program, *words],
            env=own_environment() | variables, cwd=folder, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        address, end = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
        while status_of(address, "/health") != 200:
            assert time.monotonic() < end, (folder / "log").read_text()[-3000:]
            assert process.poll() is None, (folder / "log").read_text()[-3000:]
            time.sleep(0.5)
        yield address
        shown = Path(f"/proc/{process.pid}/cmdline").read_text()
        assert not [path.name for path in secrets.iterdir() if path.read_text() and path.read_text() in shown]
    finally:
        with suppress(ProcessLookupError):  # it ended by itself, which an assertion above names
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def own_environment() -> dict[str, str]:
    """Return the variables of this process without those of Thinfile's stores."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "THINFILE_", "PG"))}


def status_of(address: str, path: str, password: str | None = None, host: str = "mlflow:5000") -> int:
    """Return the status of a request, as a container of compose.yaml sends it; 0 without an answer."""
    headers = {"host": host}
    if password is not None:
        headers["authorization"] = "Basic " + base64.b64encode(f"thinfile:{password}".encode()).decode()
    try:
        with urllib.request.urlopen(urllib.request.Request(address + path, headers=headers), timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def test_the_mlflow_server_wants_its_password_and_answers_to_its_names_alone(mlflow_server: str, secrets: Path) -> None:
    password = (secrets / "mlflow_admin_password").read_text()
    assert status_of(mlflow_server, SEARCH, password) == 200
    assert status_of(mlflow_server, SEARCH) == 401
    assert status_of(mlflow_server, SEARCH, "another") == 401
    assert status_of(mlflow_server, SEARCH, password, host="localhost:5000") == 200
    assert status_of(mlflow_server, SEARCH, password, host="example.com") == 403


def test_the_health_check_needs_no_password(mlflow_server: str) -> None:
    command = [sys.executable, DEPLOY / "ready.py", f"{mlflow_server}/health"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_thinfile_tunes_and_promotes_with_the_variables_of_compose(
    mlflow_server: str, databases: str, secrets: Path, tmp_path: Path
) -> None:
    # given the environment of the service `thinfile`, with the addresses of this machine
    password = (secrets / "mlflow_admin_password").read_text()
    variables = {
        name: value.replace("/run/secrets", str(secrets))
        .replace("http://mlflow:5000", mlflow_server)
        .replace("@postgres/thinfile", f"@/thinfile?host={databases}")
        for name, value in SERVICES["thinfile"]["environment"].items()
    }
    environment = (
        own_environment() | variables | {"THINFILE_WORKSPACE": str(tmp_path), "PYTHONPATH": str(DEPLOY.parent)}
    )
    thinfile = [DEPLOY / "entrypoint.sh", sys.executable, "-m", "thinfile"]

    # when a model is tuned and promoted
    printed = ""
    for words in (["tune", "data=german_credit", "candidate=scorecard", "trials=2"], ["promote", "why=the first"]):
        done = subprocess.run(
            [*thinfile, *words], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        printed += done.stdout + done.stderr
        assert done.returncode == 0, printed

    # then runs and models are on the server, the ledger is in the database, and no password was printed or kept
    assert (
        status_of(mlflow_server, "/api/2.0/mlflow/registered-models/alias?name=credit_score&alias=champion", password)
        == 200
    )
    assert not list(tmp_path.rglob("mlflow.db"))
    with connect(databases, "thinfile", "thinfile") as connection:
        assert connection.execute("select count(*) from chain").fetchone() != (0,)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert password not in printed
    assert password.encode() not in kept
