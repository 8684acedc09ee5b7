"""The files behind a ledger entry, each with its hash: the evidence and the files of the model."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.errors import ThinfileError
from pipelines.model_store.files import DOCUMENT, PROMOTION, model_hash
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.fingerprint import spell_record

HASH = "evidence_hash"
SEAL = "<!-- SHA-256 of the above: "
NOT_HELD = (PROMOTION, DOCUMENT, "registered_model_meta")
"""Files that change after a request, and the file that MLflow adds to a download."""


def attach_evidence(store: ModelStore, model: RegisteredModel, evidence: Mapping[str, Any]) -> None:
    """Attach evidence to its model, as a file named by its SHA-256.

    Raises:
        ThinfileError: the evidence does not match its hash.
        RequestError: the model was logged by MLflow 2, which accepts no more files.
    """
    text = spell_record({key: value for key, value in evidence.items() if key != HASH})
    actual, recorded = hashlib.sha256(text.encode()).hexdigest(), str(evidence[HASH])
    if actual != recorded:
        raise ThinfileError(f"the evidence has hash {actual[:12]}, not the recorded {recorded[:12]}; gather it again")
    with scratch_folder(store.workspace.root) as folder:
        path = folder / evidence_path(recorded)
        path.parent.mkdir()
        path.write_text(text)
        store.attach(model, folder)


def evidence_path(evidence_hash: str) -> Path:
    """Return the path of evidence among a model's files."""
    return Path(PROMOTION) / f"{evidence_hash}.json"


def read_evidence(folder: Path, evidence_hash: str) -> dict[str, Any]:
    """Return the evidence attached to a model.

    Raises:
        ThinfileError: the file is missing or was changed.
    """
    finding = evidence_finding(folder, evidence_hash)
    if finding:
        raise ThinfileError(f"{finding}; restore it from a copy, or request again")
    record: dict[str, Any] = json.loads((folder / evidence_path(evidence_hash)).read_bytes())
    return record | {HASH: evidence_hash}


def evidence_finding(folder: Path, evidence_hash: str) -> str | None:
    """Return what is wrong with the evidence attached to a model, None if it is intact."""
    path = folder / evidence_path(evidence_hash)
    if not path.is_file():
        return f"the evidence {evidence_path(evidence_hash)} is missing"
    actual = _hash(path)
    if actual != evidence_hash:
        return f"the evidence {evidence_path(evidence_hash)} was changed (hash {actual[:12]})"
    return None


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a model by its path, without the evidence of promotions."""
    return {
        str(path.relative_to(folder)): _hash(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in NOT_HELD and "__pycache__" not in path.parts
    }


def model_findings(folder: Path, content: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a model's files, given the `files` and `model_hash` of a ledger entry."""
    recorded, present = content["files"], file_hashes(folder)
    findings = [f"its file {name} is missing" for name in recorded if name not in present]
    findings += document_findings(folder)
    changed = [name for name in recorded if name in present and present[name] != recorded[name]]
    findings += [f"its file {name} was changed after the request (hash {present[name][:12]})" for name in changed]
    if not findings and model_hash(folder) != content["model_hash"]:
        findings.append(f"its files give hash {model_hash(folder)[:12]} instead of {content['model_hash'][:12]}")
    return findings


def sealed(page: str) -> str:
    """Return a page with a last line that has the SHA-256 of everything above it."""
    return f"{page}{SEAL}{hashlib.sha256(page.encode()).hexdigest()} -->\n"


def document_findings(folder: Path) -> list[str]:
    """Return what is wrong with the document of a model; the next decision writes a missing one."""
    path = folder / DOCUMENT
    if not path.is_file():
        return []
    page, seal, _ = path.read_bytes().rpartition(SEAL.encode())
    intact = bool(seal) and sealed(page.decode(errors="replace")).encode() == path.read_bytes()
    return [] if intact else [f"its {DOCUMENT} was changed; `thinfile promote request` writes it again"]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
