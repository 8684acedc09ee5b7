"""The files of an MLflow model, and the fingerprint of those that decide its predictions."""

import json
from pathlib import Path

from pipelines.storage.fingerprint import fingerprint_files

FILES = Path("artifacts") / "model"
"""The folder of the model's own files inside the MLflow model."""

PROFILE = "reference_profile.json"
"""The reference profile's name inside the MLflow model."""

PROMOTION = "promotion"
"""The folder inside the MLflow model that holds the evidence of each request to promote it."""

FILE_HASHES = "file_hashes.json"
"""The list of the files' hashes inside the MLflow model; it names the changed file when the model's hash differs."""

DOCUMENT = "model_document.html"
"""The model document's name inside the MLflow model."""

EVIDENCE = (PROFILE, DOCUMENT, "evaluation", "points_table.csv", FILE_HASHES, PROMOTION)
"""Files of an MLflow model that do not decide its predictions."""


def model_hash(folder: Path) -> str:
    """Return the fingerprint of an MLflow model: the bytes of everything that decides its predictions.

    MLflow's description (MLmodel: times, ids) and the evidence are left out. All other files of a foreign model count.
    """
    return fingerprint_files(_deciding_files(folder))


def changed_files(folder: Path) -> list[str]:
    """Return the files of an MLflow model that were changed, removed or added since it was saved."""
    try:
        saved, present = json.loads((folder / FILE_HASHES).read_text()), file_hashes(folder)
    except (OSError, ValueError):  # a foreign model has no list, or the list itself was changed
        return []
    return sorted(name for name in saved | present if saved.get(name) != present.get(name))


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the fingerprint of each file of an MLflow model that decides its predictions."""
    return {name: fingerprint_files({name: path}) for name, path in _deciding_files(folder).items()}


def _deciding_files(folder: Path) -> dict[str, Path]:
    ours = [folder / "served_model.py", *(folder / FILES).rglob("*")]
    ignored = {*EVIDENCE, "MLmodel", "registered_model_meta"}
    theirs = (
        path
        for path in folder.rglob("*")
        if path.relative_to(folder).parts[0] not in ignored and "__pycache__" not in path.parts
    )
    paths = ours if (folder / FILES / "model.json").exists() else theirs
    return {str(path.relative_to(folder)): path for path in paths if path.is_file()}
