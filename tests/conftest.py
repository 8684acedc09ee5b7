"""What all tests share: real tables, an empty workspace, the thinfile command, and whether claims run at full size."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pandas as pd
import pytest

from pipelines.applications.settings import DataSettings, Source
from pipelines.applications.sources import german_credit_path
from pipelines.storage.workspace import Workspace
from tests.object_store import Bucket, ObjectStore, private_object_store
from tests.postgresql import fresh_database, private_server, programs
from tests.real_parts import STORES

hypothesis.settings.register_profile("untimed", deadline=None)  # how long an example takes is the machine's business
hypothesis.settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the evidence at full size and write evidence/")
    parser.addoption("--benchmarks", action="store_true", help="run the benchmarks")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a real PostgreSQL server or an S3 server."""
    for item in items:
        if {"postgresql", "bucket"} & {*item.fixturenames}:  # type: ignore[attr-defined]
            item.add_marker(pytest.mark.integration)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace.at(str(tmp_path / "workspace"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a private PostgreSQL server."""
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed: no initdb in PATH nor below /usr/lib/postgresql")
    with private_server(folder) as server:
        yield server


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """An S3 server of this machine."""
    with private_object_store() as store:
        yield store


@pytest.fixture
def bucket(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, whose server and credentials are in the environment."""
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    return object_store.fresh_bucket()


@pytest.fixture(params=STORES)
def either_workspace(request: pytest.FixtureRequest, workspace: Workspace) -> Workspace:
    """An empty workspace, once on SQLite and once on a PostgreSQL database of its own."""
    if request.param == "sqlite":
        return workspace
    return Workspace(workspace.root, fresh_database(request.getfixturevalue("postgresql")))


@pytest.fixture(scope="session")
def german_table() -> pd.DataFrame:
    """The German credit data as it lies there."""
    return pd.read_csv(german_credit_path())


@pytest.fixture
def german_settings() -> DataSettings:
    """The roles of conf/data/german_credit.yaml."""
    return DataSettings(
        source=Source.german_credit,
        label="creditability",
        bad="bad",
        protected=["personal_status_and_sex", "age_in_years", "foreign_worker"],
    )


@dataclass(frozen=True)
class Answer:
    """What one command answered."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one JSON value on stdout."""
        return json.loads(self.stdout)


def command_in(folder: Path, *words: str, umask: int = -1, timeout: float = 300) -> Answer:
    """Run the real command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "thinfile", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        umask=umask,
        timeout=timeout,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def thinfile(tmp_path: Path) -> Callable[..., Answer]:
    """Run the real command in a process of its own, in an empty folder."""
    return partial(command_in, tmp_path)
