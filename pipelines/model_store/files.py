"""What lies in the folder of an MLflow model, and the fingerprint of what decides its answers."""

import json
from pathlib import Path

from pipelines.storage.fingerprint import fingerprint_files

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


def model_hash(folder: Path) -> str:
    """Return the fingerprint of an MLflow model: the bytes of everything that decides its answers.

    MLflow's own description (MLmodel: times, ids) and whatever lies beside the model are left out. A model from
    elsewhere has no files of ours: there every other file counts.
    """
    return fingerprint_files(_deciding_files(folder))


def changed_files(folder: Path) -> list[str]:
    """Return the files of an MLflow model of ours that are not as they were saved, or are gone or new."""
    try:
        saved, found = json.loads((folder / FILE_HASHES).read_text()), file_hashes(folder)
    except (OSError, ValueError):  # a model from elsewhere has no list; one that was changed is no list
        return []
    return sorted(name for name in saved | found if saved.get(name) != found.get(name))


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the fingerprint of each file of an MLflow model that decides its answers."""
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
