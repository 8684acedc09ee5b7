"""Artifacts go where the experiment's location says, and are checked after they were downloaded."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.entities import FileInfo
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry

from pipelines.candidates.training import TrainedModel
from pipelines.errors import ThinfileError
from pipelines.ledger.champion import disputed_champion, proven_champion
from pipelines.model_store.files import FILES
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace
from tests.pipelines.model_store.champions import make_champion

NAME = "credit_score"


class Bucket(ArtifactRepository):  # type: ignore[misc]
    """Keeps artifacts below the folder of a test, as a store of objects does: nothing is read in place."""

    root = Path()

    @property
    def folder(self) -> Path:
        return self.root / self.artifact_uri.removeprefix("bucket://")

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        target = self.folder / (artifact_path or "")
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(local_file, target)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        shutil.copytree(local_dir, self.folder / (artifact_path or ""), dirs_exist_ok=True)

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        folder = self.folder / (path or "")
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        return [FileInfo(one.relative_to(self.folder).as_posix(), one.is_dir(), one.stat().st_size) for one in files]

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        shutil.copy(self.folder / remote_file_path, local_path)


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(Bucket, "root", tmp_path / "bucket")
    _artifact_repository_registry.register("bucket", Bucket)
    yield tmp_path / "bucket"
    del _artifact_repository_registry._registry["bucket"]


@pytest.fixture
def store(workspace: Workspace, bucket: Path) -> ModelStore:
    store = ModelStore(workspace)
    store.client.create_experiment(NAME, artifact_location="bucket://team/runs")
    return store


@pytest.fixture
def champion(store: ModelStore, model: TrainedModel, tmp_path: Path) -> RegisteredModel:
    return make_champion(store, model, tmp_path / "saved")


def test_a_model_is_kept_and_read_where_its_experiment_says(
    store: ModelStore, champion: RegisteredModel, bucket: Path
) -> None:
    assert len(list((bucket / "team" / "runs").rglob("model.json"))) == 1
    assert not store.workspace.artifacts.exists()
    again = ModelStore(store.workspace)
    assert load_predictor(again, proven_champion(again, NAME)).hash == load_predictor(store, champion).hash
    assert not list(again.download(champion).rglob("registered_model_meta"))


def test_attached_files_are_read_as_they_are_now(store: ModelStore, champion: RegisteredModel, tmp_path: Path) -> None:
    (tmp_path / "notes" / "more").mkdir(parents=True)
    for text in ("first", "second"):
        (tmp_path / "notes" / "more" / "note.txt").write_text(text)
        store.attach(champion, tmp_path / "notes")
        path = store.attached(champion, "more/note.txt")
        assert path is not None
        assert path.read_text() == text
    assert store.attached_names(champion) == ["more/note.txt"]
    assert store.attached(champion, "none.txt") is None
    assert store.shown_place(champion, "more/note.txt").startswith("bucket://team/runs/")


def test_a_changed_file_is_found_after_the_download(store: ModelStore, champion: RegisteredModel, bucket: Path) -> None:
    (path,) = bucket.rglob("model.json")
    path.write_text(path.read_text().replace("{", "{ ", 1))
    again = ModelStore(store.workspace)
    assert f"{FILES.as_posix()}/model.json was changed" in disputed_champion(again, NAME).dispute
    with pytest.raises(ThinfileError, match=r"model\.json was changed"):
        load_predictor(again, champion)


def test_missing_files_are_named(store: ModelStore, champion: RegisteredModel, bucket: Path) -> None:
    shutil.rmtree(bucket)
    with pytest.raises(ThinfileError, match=r"version 1 cannot be read \(no such file or folder: 'bucket://"):
        ModelStore(store.workspace).download(champion)


def test_copies_are_private_and_below_the_workspace(store: ModelStore, champion: RegisteredModel) -> None:
    folder = ModelStore(store.workspace).download(champion)
    assert folder.is_relative_to(store.workspace.root)
    assert folder.stat().st_mode & 0o077 == 0
