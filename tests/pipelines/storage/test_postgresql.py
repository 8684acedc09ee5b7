"""The door to PostgreSQL: clear about what is missing, silent about passwords."""

import builtins
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import ConfigurationError, ThinfileError
from pipelines.model_store.store import ModelStore
from pipelines.storage.chain import Chain
from pipelines.storage.postgresql import advisory_lock, open_engine, shown, url_of
from pipelines.storage.workspace import Workspace


@pytest.mark.parametrize("spelling", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_usual_spelling_is_the_same_address(spelling: str) -> None:
    assert url_of(f"{spelling}://anna@host/scores") == url_of("postgresql://anna@host/scores")


@pytest.mark.parametrize("given", ["mysql://anna:secret@host/scores", "anna:secret@host", "postgresql://h:x/secret"])
def test_what_is_no_address_of_postgresql_is_refused_without_telling_it(given: str) -> None:
    with pytest.raises(ConfigurationError, match="must be an address of PostgreSQL") as refused:
        url_of(given)
    assert "secret" not in str(refused.value)


def test_a_password_is_told_nowhere(tmp_path: Path) -> None:
    database = "postgresql://anna:secret@127.0.0.1:1/scores?connect_timeout=1"
    assert "secret" not in shown(database) + shown("postgresql://host/scores?password=secret&user=anna")
    workspace = Workspace(tmp_path, database)
    assert "secret" not in repr(workspace)
    for open_it in (lambda: Chain(workspace, "a"), lambda: ModelStore(workspace)):
        with pytest.raises(ThinfileError, match="does not answer") as refused:
            open_it()
        assert "secret" not in str(refused.value)


def test_without_its_driver_the_package_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name == "psycopg":
            raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigurationError, match=r"psycopg is not installed; pip install 'thinfile\[postgresql\]'"):
        open_engine("postgresql://host/scores")


def test_work_whose_lock_was_lost_on_the_way_says_so(postgresql: str) -> None:
    engine = open_engine(postgresql)

    def cut_off() -> None:
        with advisory_lock(engine, "a"), engine.connect() as other:
            other.exec_driver_sql("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")

    with pytest.raises(ThinfileError, match="the connection to the database was lost"):
        cut_off()
    with advisory_lock(engine, "a"):
        pass


def test_the_environment_names_the_database_of_a_workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THINFILE_DATABASE", "postgresql://host/scores")
    assert Workspace.at(str(tmp_path)).database == "postgresql://host/scores"
    monkeypatch.setenv("THINFILE_DATABASE", "")
    assert Workspace.at(str(tmp_path)).database is None
