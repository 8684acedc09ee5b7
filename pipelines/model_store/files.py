"""The files of an MLflow model and their fingerprint.

A version's folder has the files that were registered and no others: MLflow's description (MLmodel) and environment, the
model's own files, the generated code, the reference profile and a list of hashes. Evidence, evaluation and document are
kept apart (see `ModelStore.attach`). Models of earlier versions of Thinfile have them in their folder, and their hash
covers only what decides predictions.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import ThinfileError
from pipelines.storage.fingerprint import fingerprint_files

DESCRIPTION = "MLmodel"
"""MLflow's description of a model."""

FILES = Path("artifacts") / "model"
"""The folder of the model's own files inside the MLflow model."""

CARD = FILES / "model.json"
"""The file that makes a model one of Thinfile's."""

SERVED = "served_model.py"
"""The generated code inside the MLflow model, for users of MLflow without Thinfile; Thinfile never runs it."""

PROFILE = "reference_profile.json"
"""The reference profile's name: inside the MLflow model, or kept apart for a model that another tool logged."""

TRAINING_RECORD = "training_record.json"
"""What the model was trained and tested on, inside the MLflow model; models of earlier versions have tags alone."""

FILE_HASHES = "file_hashes.json"
"""The list of the files' hashes inside the MLflow model; it names the changed file when the model's hash differs."""

EXAMPLES = ("input_example.json", "serving_input_example.json")
"""The input example inside the MLflow model, as a frame and as the body of a request."""

NO_COMPILED_CODE = "__pycache__"
"""A file of this name inside the MLflow model keeps Python from writing compiled code beside `SERVED`."""

ADDED_BY_MLFLOW = "registered_model_meta"
"""The file that MLflow adds to a version's folder; no other file may be beside the registered ones."""

PROMOTION = "promotion"
"""The folder of the evidence of each request to promote a version."""

DOCUMENT, DOCUMENT_JSON = "model_document.html", "model_document.json"
"""The names of the model document: a page, and the same content for programs."""

EVALUATION_FOLDER, POINTS_TABLE = "evaluation", "points_table.csv"
"""The evaluation of a version on its test part, and the points of a scorecard."""

BESIDE_EARLIER = (PROFILE, DOCUMENT, EVALUATION_FOLDER, POINTS_TABLE, FILE_HASHES, PROMOTION)
"""What earlier versions of Thinfile wrote into a model's folder and left out of its hash."""

BESIDE_EARLIER_TYPES = (".json", ".html", ".csv", ".svg", ".png")

DESCRIBING_EARLIER = (DESCRIPTION, "conda.yaml", "python_env.yaml", "requirements.txt")
"""Files by MLflow that the hash of earlier versions left out."""


def registered_files(folder: Path) -> dict[str, Path]:
    """Return every file of an MLflow model by its name, without the one that MLflow adds.

    Raises:
        ThinfileError: the folder holds a link to a folder, something that is not a file, a name that cannot be printed,
            or a folder that cannot be read.
    """
    return {name: path for name, path in sorted(_walk(folder)) if name != ADDED_BY_MLFLOW}


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for here, folders, names in os.walk(folder, onerror=_refuse):
        for name in [*folders, *names]:
            path = Path(here) / name
            if not name.isprintable():
                raise ThinfileError(f"the model's folder holds {str(path)!a}, a name that no model has; remove it")
            if (name in folders and path.is_symlink()) or (name in names and not path.is_file()):
                raise ThinfileError(
                    f"the model's folder holds '{path}', which is neither a file nor a folder; replace it with a copy "
                    "of what it links to, or remove it"
                )
            if name in names:
                yield path.relative_to(folder).as_posix(), path


def _refuse(error: OSError) -> None:
    raise ThinfileError(
        f"the model's folder '{error.filename}' cannot be read ({error.strerror}); restore it from a copy"
    )


def model_hash(folder: Path) -> str:
    """Return the fingerprint of an MLflow model: the names and bytes of every registered file."""
    return fingerprint_files(registered_files(folder))


def deciding_hash(folder: Path) -> str:
    """Return the fingerprint of what decides an MLflow model's predictions.

    Fitted again from the same record, a model has the same one; its `model_hash` covers times and ids too.
    """
    return fingerprint_files(_deciding_files(folder))


def hash_as_recorded(folder: Path, recorded: str) -> str:
    """Return the fingerprint of an MLflow model, computed as a recorded one was.

    Earlier versions of Thinfile recorded the `deciding_hash`.
    """
    earlier = deciding_hash(folder)
    return earlier if earlier == recorded else model_hash(folder)


def list_hashes(folder: Path) -> None:
    """Write the hash of every file of an MLflow model into its folder."""
    (folder / FILE_HASHES).unlink(missing_ok=True)
    hashes = {name: fingerprint_files({name: path}) for name, path in registered_files(folder).items()}
    (folder / FILE_HASHES).write_text(json.dumps(hashes, indent=1))


def file_findings(folder: Path) -> list[str]:
    """Return how the files of an MLflow model differ from its list; none without a list that can be read."""
    try:
        listed = json.loads((folder / FILE_HASHES).read_text())
        present = {name: fingerprint_files({name: path}) for name, path in registered_files(folder).items()}
    except (OSError, ValueError):  # a foreign model has no list, or the list itself was changed
        return []
    changed = [name for name in listed if name in present and present[name] != listed[name]]
    findings = [f"{name} was changed" for name in changed]
    findings += [f"{name} is missing" for name in listed if name not in present]
    added = present.keys() - listed.keys() - {FILE_HASHES}
    if DESCRIPTION not in listed:  # the list of an earlier Thinfile
        added = {name for name in added if not _is_of_earlier(name)}
    return [*findings, *(f"{name} was not registered" for name in sorted(added))]


def unregistered_beside_earlier(folder: Path) -> list[str]:
    """Return the files that the hash of an earlier Thinfile does not cover and that it did not write."""
    beside = registered_files(folder).keys() - _deciding_files(folder).keys()
    return sorted(name for name in beside if not _is_of_earlier(name))


def _is_of_earlier(name: str) -> bool:
    path = Path(name)
    return name in DESCRIBING_EARLIER or (path.parts[0] in BESIDE_EARLIER and path.suffix in BESIDE_EARLIER_TYPES)


def _deciding_files(folder: Path) -> dict[str, Path]:
    files = registered_files(folder)
    if CARD.as_posix() in files:
        own = f"{FILES.as_posix()}/"
        return {name: path for name, path in files.items() if name == SERVED or name.startswith(own)}
    left_out = {*BESIDE_EARLIER, DESCRIPTION}
    return {
        name: path
        for name, path in files.items()
        if Path(name).parts[0] not in left_out and NO_COMPILED_CODE not in Path(name).parts
    }
