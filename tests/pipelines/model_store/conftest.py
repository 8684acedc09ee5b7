"""A small trained scorecard, saved as an MLflow model, and a store to put it into."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import mlflow.pyfunc
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from pipelines.candidates.training import TrainedModel
from pipelines.model_store.packaging import save_mlflow_model
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace
from tests.mlflow_at import mlflow_at
from tests.pipelines.candidates.test_conformance import trained

DOUBLES = {"income": DataType.double, "debt": DataType.double}

SCRIPT = """
import mlflow
import numpy as np
import pandas as pd

class Theirs(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: pd.DataFrame):
        return {answer}

mlflow.models.set_model(Theirs())
"""

Elsewhere = Callable[..., RegisteredModel]


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return trained("scorecard")


@pytest.fixture(scope="module")
def saved(model: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    save_mlflow_model(model, folder)
    return folder


@pytest.fixture
def copied(saved: Path, tmp_path: Path) -> Path:
    """A copy of the saved model that a test may change."""
    return copytree(saved, tmp_path / "copied")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    """A store; each test uses experiments and models of its own names."""
    return ModelStore(Workspace.at(str(tmp_path_factory.mktemp("store") / "workspace")))


@pytest.fixture
def elsewhere(store: ModelStore, tmp_path: Path) -> Elsewhere:
    """Log and register a model from code with MLflow alone, as a team that does not use Thinfile would."""

    def register(answer: str, types: dict[str, DataType] | None = DOUBLES, **options: Any) -> RegisteredModel:
        script = tmp_path / "theirs.py"
        script.write_text(SCRIPT.format(answer=answer))
        columns: list[Any] = [ColSpec(kind, column) for column, kind in (types or {}).items()]
        options.setdefault("signature", ModelSignature(Schema(columns)) if columns else None)
        name = f"model {tmp_path.name}"
        with mlflow_at(store), mlflow.start_run():
            mlflow.pyfunc.log_model(
                name="model",
                python_model=str(script),
                registered_model_name=name,
                pip_requirements=["mlflow"],
                **options,
            )
        return store.versions(name)[-1]

    return register
