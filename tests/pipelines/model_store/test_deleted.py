"""Runs and experiments that were deleted in MLflow are named with the command that restores them."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import RequestError
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import KIND, STUDY, STUDY_RUN
from pipelines.storage.workspace import Workspace


@pytest.fixture(params=["workspace", "a%20b? {x}"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ModelStore:
    return ModelStore(Workspace.at(str(tmp_path / request.param)))


def restored_by(message: str) -> None:
    """Run the command in a message."""
    command = message.partition("`")[2].rpartition("`")[0]
    assignment, program, *words = shlex.split(command)
    name, _, value = assignment.partition("=")
    assert program == "mlflow"
    subprocess.run(
        [sys.executable, "-m", "mlflow", *words], env=os.environ | {name: value}, check=True, capture_output=True
    )


@pytest.mark.integration
def test_a_deleted_experiment_is_named_and_the_command_restores_it(store: ModelStore) -> None:
    experiment = store.experiment("credit_score")
    run = store.open_run(experiment, "study", {STUDY: "s", KIND: STUDY_RUN})
    store.client.delete_experiment(experiment)
    with pytest.raises(RequestError, match="experiment 'credit_score' was deleted in MLflow; restore it") as raised:
        store.experiment("credit_score")
    with pytest.raises(RequestError, match="experiment 'credit_score' was deleted in MLflow"):
        store.study_run(run[:8])
    restored_by(str(raised.value))
    assert store.experiment("credit_score") == experiment


@pytest.mark.integration
def test_a_deleted_run_is_named_and_the_command_restores_it(store: ModelStore) -> None:
    experiment = store.experiment("credit_score")
    runs = [store.open_run(experiment, "study", {STUDY: name, KIND: STUDY_RUN}) for name in ("one", "two")]
    store.client.delete_run(runs[0])
    with pytest.raises(RequestError, match=f"run '{runs[0]}' was deleted in MLflow; restore it") as raised:
        store.study_run(runs[0])
    restored_by(str(raised.value))
    assert store.study_run(runs[0]).info.run_id == runs[0]


def test_a_run_that_is_gone_for_good_has_no_record(store: ModelStore) -> None:
    assert store.read_record("0" * 32) is None
    assert store.read_record(None) is None


def test_reading_a_record_leaves_nothing_behind(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    run = store.open_run(store.experiment("credit_score"), "study", {STUDY: "s"})
    files = tmp_path / "files"
    files.mkdir()
    (files / "config.json").write_text('{"a": 1}')
    store.log_files(run, files)
    assert store.read_record(run) == {"a": 1}
    assert list(temporary.iterdir()) == []
    assert [one for one in store.workspace.root.iterdir() if one.name.startswith(".")] == []
