"""What an entry of the ledger rests on: the file of its evidence and the files of its model, each with its hash."""

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
"""What grows beside a model after it was asked for, and the note that MLflow leaves where it downloads."""


def attach_evidence(store: ModelStore, model: RegisteredModel, evidence: Mapping[str, Any]) -> None:
    """Put evidence beside its model, as a file whose SHA-256 is the evidence's hash and its name.

    Raises:
        ThinfileError: the evidence is not what its own hash says.
        RequestError: nothing can be put beside a model that MLflow 2 logged.
    """
    spelled = spell_record({key: value for key, value in evidence.items() if key != HASH})
    found, told = hashlib.sha256(spelled.encode()).hexdigest(), str(evidence[HASH])
    if found != told:
        raise ThinfileError(f"evidence carries its own hash, received {told[:12]} for {found[:12]}; make it again")
    with scratch_folder(store.workspace.root) as folder:
        path = folder / evidence_path(told)
        path.parent.mkdir()
        path.write_text(spelled)
        store.attach(model, folder)


def evidence_path(evidence_hash: str) -> Path:
    """Return where evidence lies among a model's files."""
    return Path(PROMOTION) / f"{evidence_hash}.json"


def read_evidence(folder: Path, evidence_hash: str) -> dict[str, Any]:
    """Return the evidence beside a model.

    Raises:
        ThinfileError: it is not there, or one of its bytes is not what was written.
    """
    finding = evidence_finding(folder, evidence_hash)
    if finding:
        raise ThinfileError(f"{finding}; restore it from a copy, or ask again")
    record: dict[str, Any] = json.loads((folder / evidence_path(evidence_hash)).read_bytes())
    return record | {HASH: evidence_hash}


def evidence_finding(folder: Path, evidence_hash: str) -> str | None:
    """Return what is wrong with the evidence beside a model, None when it is what was written."""
    path = folder / evidence_path(evidence_hash)
    if not path.is_file():
        return f"the evidence {evidence_path(evidence_hash)} is missing"
    found = _hash(path)
    if found != evidence_hash:
        return f"the evidence {evidence_path(evidence_hash)} is not what was written (hash {found[:12]})"
    return None


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a model, by its path; evidence of promotions is left out."""
    return {
        str(path.relative_to(folder)): _hash(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in NOT_HELD and "__pycache__" not in path.parts
    }


def model_findings(folder: Path, content: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a model's files, by what an entry recorded of them: `files` and `model_hash`."""
    recorded, found = content["files"], file_hashes(folder)
    findings = [f"its file {name} is missing" for name in recorded if name not in found]
    findings += document_findings(folder)
    changed = (name for name, known in recorded.items() if name in found and found[name] != known)
    findings += [f"its file {name} is not what was judged (hash {found[name][:12]})" for name in changed]
    if not findings and model_hash(folder) != content["model_hash"]:
        findings.append(f"its files give hash {model_hash(folder)[:12]} instead of {content['model_hash'][:12]}")
    return findings


def sealed(page: str) -> str:
    """Return a page with a last line that holds the SHA-256 of what stands before it."""
    return f"{page}{SEAL}{hashlib.sha256(page.encode()).hexdigest()} -->\n"


def document_findings(folder: Path) -> list[str]:
    """Return what is wrong with the document beside a model; one that is not there is written by the next decision."""
    path = folder / DOCUMENT
    if not path.is_file():
        return []
    page, seal, _ = path.read_bytes().rpartition(SEAL.encode())
    intact = bool(seal) and sealed(page.decode(errors="replace")).encode() == path.read_bytes()
    return [] if intact else [f"its {DOCUMENT} is not what was written; `thinfile promote request` writes it anew"]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
