"""The files behind a ledger entry, each with its hash: evidence, model files and files attached to a version."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.errors import ThinfileError
from pipelines.model_store.files import DOCUMENT, DOCUMENT_JSON, PROMOTION, hash_as_recorded, registered_files
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.fingerprint import fingerprint_record, spell_record

HASH = "evidence_hash"
SEAL = "<!-- SHA-256 of the above: "
SEALED = "content_hash"
"""The name of the hash in the document's JSON, of everything else in it."""
CONTENT = re.compile(r"content <code>([0-9a-f]{64})</code>")
REMEDY = "`thinfile promote request` writes it again"
CHANGING = (PROMOTION, DOCUMENT, DOCUMENT_JSON)
"""Files attached to a version that change after a request; evidence is named by its hash, a document is sealed."""


def attach_evidence(store: ModelStore, model: RegisteredModel, evidence: Mapping[str, Any]) -> None:
    """Attach evidence to its model, as a file named by its SHA-256, unless it is there.

    Raises:
        ThinfileError: the evidence does not match its hash.
    """
    text = spell_record({key: value for key, value in evidence.items() if key != HASH})
    actual, recorded = hashlib.sha256(text.encode()).hexdigest(), str(evidence[HASH])
    if actual != recorded:
        raise ThinfileError(f"the evidence has hash {actual[:12]}, not the recorded {recorded[:12]}; gather it again")
    if evidence_finding(store, model, recorded) is None:  # writing it again could be killed half-way
        return
    with scratch_folder(store.workspace.root) as folder:
        path = folder / evidence_path(recorded)
        path.parent.mkdir()
        path.write_text(text)
        store.attach(model, folder)


def evidence_path(evidence_hash: str) -> Path:
    """Return the path of evidence among the files attached to a version."""
    return Path(PROMOTION) / f"{evidence_hash}.json"


def attached_file(store: ModelStore, model: RegisteredModel, name: str) -> Path | None:
    """Return a file attached to a version, None without one; earlier versions have theirs in the model's folder."""
    attached = store.attached(model, name)
    if attached is not None:
        return attached
    earlier = store.download(model) / name
    return earlier if earlier.is_file() else None


def read_evidence(store: ModelStore, model: RegisteredModel, evidence_hash: str) -> dict[str, Any]:
    """Return the evidence attached to a model.

    Raises:
        ThinfileError: the file is missing or was changed.
    """
    finding = evidence_finding(store, model, evidence_hash)
    if finding:
        raise ThinfileError(f"{finding}; restore it from a copy, or request again")
    path = attached_file(store, model, str(evidence_path(evidence_hash)))
    assert path is not None
    record: dict[str, Any] = json.loads(path.read_bytes())
    return record | {HASH: evidence_hash}


def evidence_finding(store: ModelStore, model: RegisteredModel, evidence_hash: str) -> str | None:
    """Return what is wrong with the evidence attached to a model, None if it is intact."""
    path = attached_file(store, model, str(evidence_path(evidence_hash)))
    if path is None:
        return f"the evidence {evidence_path(evidence_hash)} is missing"
    actual = _hash(path)
    if actual != evidence_hash:
        return f"the evidence {evidence_path(evidence_hash)} was changed (hash {actual[:12]})"
    return None


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a model by its path, without evidence and documents of earlier versions."""
    return {
        name: _hash(path)
        for name, path in registered_files(folder).items()
        if not name.startswith(f"{PROMOTION}/") and name != DOCUMENT
    }


def attached_hashes(store: ModelStore, model: RegisteredModel) -> dict[str, str]:
    """Return the SHA-256 of each file attached to a version by its name, without evidence and document."""
    names = [name for name in store.attached_names(model) if Path(name).parts[0] not in CHANGING]
    paths = {name: store.attached(model, name) for name in names}
    return {name: _hash(path) for name, path in paths.items() if path is not None}


def model_findings(store: ModelStore, model: RegisteredModel, content: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the files of a version, given the `files` and `model_hash` of a ledger entry."""
    folder = store.download(model)
    recorded, present = content["files"], file_hashes(folder)
    findings = list(_differences(recorded, present))
    findings += [f"its file {name} was added after the request" for name in present if name not in recorded]
    findings += _differences(content.get("attached", {}), attached_hashes(store, model))
    findings += document_findings(store, model)
    actual = hash_as_recorded(folder, content["model_hash"])
    if not findings and actual != content["model_hash"]:
        findings.append(f"its files give hash {actual[:12]} instead of {content['model_hash'][:12]}")
    return findings


def _differences(recorded: Mapping[str, str], present: Mapping[str, str]) -> Iterator[str]:
    yield from (f"its file {name} is missing" for name in recorded if name not in present)
    changed = [name for name in recorded if name in present and present[name] != recorded[name]]
    yield from (f"its file {name} was changed after the request (hash {present[name][:12]})" for name in changed)


def sealed(page: str) -> str:
    """Return a page with a last line that has the SHA-256 of everything above it."""
    return f"{page}{SEAL}{hashlib.sha256(page.encode()).hexdigest()} -->\n"


def document_findings(store: ModelStore, model: RegisteredModel) -> list[str]:
    """Return what is wrong with the document of a model; the next decision writes a missing one.

    The page ends with its own hash and names that of the content in the file beside it.
    """
    page, record = (attached_file(store, model, name) for name in (DOCUMENT, DOCUMENT_JSON))
    if page is None:
        return []
    text = page.read_bytes()
    if not _is_sealed_page(text):
        return [f"its {DOCUMENT} was changed; {REMEDY}"]
    named = CONTENT.search(text.decode(errors="replace"))
    if named is None:  # the page of an earlier version, which wrote no other file
        return []
    if record is None:
        return [f"its {DOCUMENT_JSON} is missing; {REMEDY}"]
    return [] if _content_hash(record.read_bytes()) == named[1] else [f"its {DOCUMENT_JSON} was changed; {REMEDY}"]


def _is_sealed_page(content: bytes) -> bool:
    page, seal, _ = content.rpartition(SEAL.encode())
    return bool(seal) and sealed(page.decode(errors="replace")).encode() == content


def _content_hash(content: bytes) -> str | None:
    """Return the hash of a document's content, None where it is not the one that the file has."""
    try:
        record = json.loads(content)
        recorded = record.pop(SEALED)
        return recorded if recorded == fingerprint_record(record) else None
    except (ValueError, KeyError, AttributeError, TypeError):
        return None


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
