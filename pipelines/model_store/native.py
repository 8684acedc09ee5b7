"""What the folder of a model that Thinfile wrote may hold: data files, and one file of generated code."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from pipelines.candidates.candidate import Family
from pipelines.errors import ThinfileError, listed
from pipelines.model_store.files import (
    DESCRIBING_EARLIER,
    DESCRIPTION,
    EXAMPLES,
    FILE_HASHES,
    FILES,
    NO_COMPILED_CODE,
    PROFILE,
    SERVED,
    TRAINING_RECORD,
    registered_files,
)
from pipelines.model_store.generated_code import served_source
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import GENERATED_CODE
from pipelines.storage.fingerprint import fingerprint_files

BESIDE_DATA = {*DESCRIBING_EARLIER, *EXAMPLES, SERVED, PROFILE, TRAINING_RECORD, FILE_HASHES, NO_COMPILED_CODE}

CODE = {".py", ".pyc", ".pyo", ".pyd", ".so", ".dll", ".pth", ".pkl", ".pickle", ".cloudpickle", ".dill", ".joblib"}
"""Types of files that run code where they are loaded."""

LOADER = "mlflow.pyfunc.loaders.code_model"
MOST_NAMED = 3


def generated_code_hash(folder: Path) -> str:
    """Return the hash of a model's generated code, which its version records."""
    return fingerprint_files({SERVED: folder / SERVED})


def require_native(folder: Path, registered: RegisteredModel, families: Sequence[Family], *, is_earlier: bool) -> None:
    """Raise ThinfileError unless a model's folder holds what Thinfile writes for a model of these families.

    Its code is the one that this version generates, or the one whose hash the version records. Earlier versions record
    it in the model's hash (`is_earlier`) and have more files, which `require_registered_files` checks.
    """
    if is_earlier:
        return
    findings = [*_files_of_others(folder), *_description_findings(folder)]
    if not _is_generated(folder, registered, families):
        findings.append(f"{SERVED} is not the code that Thinfile generates for it")
    if findings:
        raise ThinfileError(
            f"{registered.name} version {registered.version} is not as Thinfile writes models: "
            f"{listed(findings, MOST_NAMED)}; it could run any code where MLflow loads it, so register the model again "
            "with `thinfile tune`"
        )


def _files_of_others(folder: Path) -> Iterator[str]:
    own = f"{FILES.as_posix()}/"
    for name in registered_files(folder):
        if name not in BESIDE_DATA and (not name.startswith(own) or PurePosixPath(name).suffix.lower() in CODE):
            yield f"it has the file {name}"


def _description_findings(folder: Path) -> Iterator[str]:
    """Yield what in MLflow's description makes MLflow run other code than the generated one."""
    path = folder / DESCRIPTION
    if not path.exists():
        return
    try:
        flavors: dict[str, Any] = yaml.safe_load(path.read_text())["flavors"]
        settings: dict[str, Any] = flavors["python_function"]
        code = PurePosixPath(settings["model_code_path"]).name  # MLflow looks for the name in the model's folder
        loaded = (settings["loader_module"], code, list(settings["artifacts"]))
        others = set(flavors) - {"python_function"} or settings.get("code")
    except (ValueError, KeyError, TypeError, yaml.YAMLError):
        yield f"its {DESCRIPTION} is not a description of it"
        return
    if loaded != (LOADER, SERVED, ["model"]) or others:
        yield f"its {DESCRIPTION} names other code than {SERVED}"


def _is_generated(folder: Path, registered: RegisteredModel, families: Sequence[Family]) -> bool:
    path = folder / SERVED
    if not path.exists() or generated_code_hash(folder) == registered.tags.get(GENERATED_CODE):
        return True
    return path.read_bytes() == served_source(families).encode()
