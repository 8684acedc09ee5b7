"""Writes a trained model as an MLflow model that returns the probability of bad, without pickle or Thinfile."""

import json
import shutil
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import mlflow.pyfunc
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

from pipelines.candidates.portable_model import families_of, read_card, table_names
from pipelines.candidates.portable_source import portable_source
from pipelines.candidates.registry import family_named
from pipelines.candidates.training import TrainedModel
from pipelines.model_store.files import FILE_HASHES, file_hashes, model_hash
from pipelines.storage.atomic_files import scratch_folder

ENTRY = "\n\nimport mlflow.models\n\nmlflow.models.set_model(pyfunc_model(SCORERS))\n"
"""The lines that make the portable source a model from code."""

REQUIREMENTS = ("mlflow", "numpy", "pandas")
"""What every logged model requires, besides the requirements of its families."""


def save_mlflow_model(trained: TrainedModel, folder: Path) -> str:
    """Write a trained model as an MLflow model into a new folder and return its fingerprint (see `model_hash`)."""
    with scratch_folder(folder.parent) as scratch:
        files = scratch / "model"
        files.mkdir()
        trained.save(files)
        card = read_card(files)
        families = [family_named(name) for name in families_of(card)]
        requirements = dict.fromkeys([*REQUIREMENTS, *(name for family in families for name in family.requirements)])
        script = scratch / "served_model.py"
        script.write_text(portable_source({family.name: family.scorer for family in families}) + ENTRY)
        with warnings.catch_warnings():
            # The signature is explicit; an example would put a real application into the model.
            warnings.filterwarnings("ignore", ".*input example was not provided")
            mlflow.pyfunc.save_model(
                folder,
                python_model=str(script),
                artifacts={"model": files.as_uri()},
                signature=signature_of(*table_names(card)),
                pip_requirements=[f"{package}=={version(package)}" for package in requirements],
            )
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    (folder / FILE_HASHES).write_text(json.dumps(file_hashes(folder), indent=1))
    return model_hash(folder)


def signature_of(numeric: Sequence[str], categorical: Sequence[str]) -> ModelSignature:
    """Return the signature: every number a double, because integers cannot be missing; one double out."""
    columns: list[ColSpec | TensorSpec] = [ColSpec(DataType.double, name) for name in numeric]
    columns += [ColSpec(DataType.string, name) for name in categorical]
    return ModelSignature(inputs=Schema(columns), outputs=Schema([ColSpec(DataType.double, "probability_of_bad")]))
