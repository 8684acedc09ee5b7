"""Writes a trained model as an MLflow model that answers with the probability of bad, anywhere, without pickle."""

import json
import shutil
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import mlflow.pyfunc
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

from pipelines.atomic import scratch_folder
from pipelines.candidates import served
from pipelines.fingerprint import fingerprint_files
from pipelines.training import TrainedModel

ENTRY = "\n\nimport mlflow.models\n\nmlflow.models.set_model(pyfunc_model())\n"
"""The line that makes a copy of `served.py` a model from code."""

FILES = Path("artifacts") / "model"
"""Where the model's own files lie inside the MLflow model."""

PROFILE = "reference_profile.json"
"""The reference profile's name inside the MLflow model."""

PROMOTION = "promotion"
"""The folder inside the MLflow model that holds the evidence of each request to promote it."""

FILE_HASHES = "file_hashes.json"
"""The name, inside the MLflow model, of the list that says which file was changed where the model's hash is off."""

DOCUMENT = "model_document.html"
"""The model document's name inside the MLflow model."""

EVIDENCE = (PROFILE, DOCUMENT, "evaluation", "points_table.csv", FILE_HASHES, PROMOTION)
"""What lies beside a model and does not decide its answers."""

REQUIREMENTS = {
    "scorecard": ("mlflow", "numpy", "pandas"),
    "catboost": ("mlflow", "numpy", "pandas", "catboost"),
    "hist_gradient_boosting": ("mlflow", "numpy", "pandas"),
}


def save_mlflow_model(trained: TrainedModel, folder: Path) -> str:
    """Write a trained model as an MLflow model into a new folder and return its fingerprint (see `model_hash`)."""
    card = trained.model.card
    with scratch_folder(folder.parent) as scratch:
        files = scratch / "model"
        files.mkdir()
        trained.save(files)
        script = scratch / "served_model.py"
        script.write_text(Path(served.__file__).read_text() + ENTRY)
        with warnings.catch_warnings():
            # The signature is explicit; an example would put a real application into the model.
            warnings.filterwarnings("ignore", ".*input example was not provided")
            mlflow.pyfunc.save_model(
                folder,
                python_model=str(script),
                artifacts={"model": str(files)},
                signature=signature_of(card["numeric"], card["categorical"]),
                pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS[card["family"]]],
            )
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    (folder / FILE_HASHES).write_text(json.dumps(_file_hashes(folder), indent=1))
    return model_hash(folder)


def signature_of(numeric: Sequence[str], categorical: Sequence[str]) -> ModelSignature:
    """Return the signature: every number a double, because integers cannot be missing; one double out."""
    columns: list[ColSpec | TensorSpec] = [ColSpec(DataType.double, name) for name in numeric]
    columns += [ColSpec(DataType.string, name) for name in categorical]
    return ModelSignature(inputs=Schema(columns), outputs=Schema([ColSpec(DataType.double, "probability_of_bad")]))


def model_hash(folder: Path) -> str:
    """Return the fingerprint of an MLflow model: the bytes of everything that decides its answers.

    MLflow's own description (MLmodel: times, ids) and whatever lies beside the model are left out. A model from
    elsewhere has no files of ours: there every other file counts.
    """
    return fingerprint_files(_deciding_files(folder))


def changed_files(folder: Path) -> list[str]:
    """Return the files of an MLflow model of ours that are not as they were saved, or are gone or new."""
    try:
        saved, found = json.loads((folder / FILE_HASHES).read_text()), _file_hashes(folder)
    except (OSError, ValueError):  # a model from elsewhere has no list; one that was changed is no list
        return []
    return sorted(name for name in saved | found if saved.get(name) != found.get(name))


def _file_hashes(folder: Path) -> dict[str, str]:
    return {name: fingerprint_files({name: path}) for name, path in _deciding_files(folder).items()}


def _deciding_files(folder: Path) -> dict[str, Path]:
    ours = [folder / "served_model.py", *(folder / FILES).rglob("*")]
    beside = {*EVIDENCE, "MLmodel", "registered_model_meta"}
    theirs = (
        path
        for path in folder.rglob("*")
        if path.relative_to(folder).parts[0] not in beside and "__pycache__" not in path.parts
    )
    paths = ours if (folder / FILES / "model.json").exists() else theirs
    return {str(path.relative_to(folder)): path for path in paths if path.is_file()}
