"""MLflow's own variables name its servers and databases; without them runs and models are where they were."""

import os
from pathlib import Path

import mlflow
import pytest

from pipelines.errors import ConfigurationError
from pipelines.model_store.addresses import (
    experiment_name,
    is_own,
    open_command,
    registry_uri,
    shown_uri,
    sqlite_path,
    tracking_uri,
)
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace, sqlite_url

TRACKING, REGISTRY = "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (TRACKING, REGISTRY, "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("value", [None, ""])
def test_without_variables_runs_and_models_are_in_the_workspace(
    value: str | None, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is not None:
        monkeypatch.setenv(TRACKING, value)
    assert tracking_uri(workspace) == registry_uri(workspace) == sqlite_url(workspace.mlflow)
    assert is_own(workspace)
    assert experiment_name("credit_score") == "credit_score"


def test_without_variables_a_shared_database_has_them(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, "postgresql://anna@host/scores")
    assert tracking_uri(workspace).startswith("postgresql+psycopg://anna@host/scores")
    assert is_own(workspace)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://mlflow.example.com/", "https://mlflow.example.com"),
        ("http://anna:secret@host:5000/prefix", "http://anna:secret@host:5000/prefix"),
        ("sqlite:////tmp/a b/mlflow.db", "sqlite:////tmp/a b/mlflow.db"),
        ("postgres://anna@host/runs?connect_timeout=5", "postgresql+psycopg://anna@host/runs?connect_timeout=5"),
    ],
)
def test_the_tracking_address_is_obeyed_for_models_too(
    given: str, expected: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRACKING, given)
    assert tracking_uri(workspace) == registry_uri(workspace) == expected
    assert not is_own(workspace)


def test_the_registry_may_be_elsewhere(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REGISTRY, "https://models.example.com")
    assert (tracking_uri(workspace), registry_uri(workspace)) == (
        sqlite_url(workspace.mlflow),
        "https://models.example.com",
    )


@pytest.mark.parametrize("given", ["databricks", "file:///tmp/mlruns", "mysql://anna:secret@host/runs", "http://"])
@pytest.mark.parametrize("variable", [TRACKING, REGISTRY])
def test_other_addresses_are_refused_without_their_password(
    given: str, variable: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, given)
    with pytest.raises(ConfigurationError, match=f"{variable} must be the address of an MLflow server or") as refused:
        registry_uri(workspace)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("password", ["p%20w", "p%23", "100%25", "what%3F", "a%2Fb", "a%40b"])
def test_no_shown_address_has_a_password(password: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "postgresql"):
        monkeypatch.setenv(TRACKING, f"{scheme}://anna:{password}@host/scores")
        uri = tracking_uri(workspace)
        assert password in uri
        assert password not in shown_uri(uri) + open_command(uri)
        assert "anna:***@host" in shown_uri(uri)


@pytest.mark.parametrize("name", ["with space", "100%", "a%20b", "what?", "a#b", "{name}"])
def test_a_sqlite_address_names_its_file_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    assert sqlite_path(sqlite_url(tmp_path / name / "mlflow.db")) == tmp_path / name / "mlflow.db"


@pytest.mark.parametrize("name", ["with space", "a%20b", "what?", "a#b"])
def test_runs_and_models_are_kept_where_the_variables_say(
    name: str, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, models = (tmp_path / name / file for file in ("runs.db", "models.db"))
    runs.parent.mkdir()
    monkeypatch.setenv(TRACKING, sqlite_url(runs))
    monkeypatch.setenv(REGISTRY, sqlite_url(models))
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "risk team")
    monkeypatch.chdir(runs.parent)
    store = ModelStore(workspace)
    experiment = store.experiment_of("credit_score")
    store.close_run(store.open_run(experiment, "a run", {"kind": "a"}))
    store.ensure_registered("credit_score")
    assert store.client.get_experiment(experiment).name == "risk team"
    assert {one.name.partition("-")[0] for one in runs.parent.iterdir()} == {"models.db", "runs.db"}
    assert not workspace.mlflow.exists()
    # when the variables are gone, the workspace has its own again
    for variable in (TRACKING, REGISTRY):
        monkeypatch.delenv(variable)
    assert ModelStore(workspace).client.get_experiment_by_name("risk team") is None
    assert workspace.mlflow.exists()


def test_a_server_that_does_not_answer_is_named_in_seconds(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.model_store.readiness import ServerUnavailable

    monkeypatch.setenv(TRACKING, "http://anna:secret@127.0.0.1:9")
    with pytest.raises(ServerUnavailable, match=r"http://anna:\*\*\*@127.0.0.1:9 does not answer") as refused:
        ModelStore(workspace)
    assert "secret" not in str(refused.value)


def test_registering_leaves_the_global_address_and_the_variable_as_they_were(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.model_store.global_uri import global_tracking_uri

    def state() -> tuple[object, str | None]:
        return mlflow.is_tracking_uri_set() and mlflow.get_tracking_uri(), os.environ.get(TRACKING)

    elsewhere = sqlite_url(tmp_path / "elsewhere.db")
    for variable in (None, elsewhere):
        if variable is not None:
            monkeypatch.setenv(TRACKING, variable)
        before = state()
        with global_tracking_uri(sqlite_url(workspace.mlflow)):
            assert state() == (sqlite_url(workspace.mlflow), sqlite_url(workspace.mlflow))
        assert state() == before
