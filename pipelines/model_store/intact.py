"""Checks that a version's folder has the files that were registered, and no others."""

from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import ThinfileError, listed
from pipelines.model_store.files import (
    deciding_hash,
    file_findings,
    model_hash,
    registered_files,
    unregistered_beside_earlier,
)
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import MODEL_HASH

MOST_NAMED = 3


@dataclass(frozen=True)
class FileCheck:
    """Whether a folder has the files of a recorded hash.

    Attributes:
        hash: The recorded hash where the folder has its files, else the hash that it has.
        is_intact: Whether the folder has the files of the recorded hash and no others.
        is_earlier: Whether an earlier Thinfile computed the hash, which covers only what decides predictions.
        findings: What differs, as far as it can be named.
    """

    hash: str
    is_intact: bool
    is_earlier: bool = False
    findings: tuple[str, ...] = ()


def check_files(folder: Path, recorded: str | None) -> FileCheck:
    """Return whether a folder has the files of a recorded hash; with None recorded whatever it has.

    Beside what the hash of an earlier Thinfile covers, only files that the earlier Thinfile wrote are allowed.
    """
    actual = model_hash(folder)
    if recorded is None or actual == recorded:
        return FileCheck(actual, is_intact=True)
    if deciding_hash(folder) != recorded:
        return FileCheck(actual, is_intact=False, findings=tuple(file_findings(folder) or _compiled(folder)))
    added = tuple(f"{name} was not registered" for name in unregistered_beside_earlier(folder))
    return FileCheck(actual if added else recorded, is_intact=not added, is_earlier=True, findings=added)


def require_registered_files(folder: Path, registered: RegisteredModel) -> FileCheck:
    """Return the check of the files of a version.

    Raises:
        ThinfileError: a registered file was changed or is missing, or another file is beside them.
    """
    recorded = registered.tags.get(MODEL_HASH)
    check = check_files(folder, recorded)
    if check.is_intact:
        return check
    named = f", {listed(check.findings, MOST_NAMED)}" if check.findings else ""
    raise ThinfileError(
        f"the files of {registered.name} version {registered.version} changed since it was registered: hash "
        f"{check.hash[:12]} instead of {str(recorded)[:12]}{named}; restore {registered.source} or promote another "
        "version"
    )


def _compiled(folder: Path) -> list[str]:
    """Return compiled code as what was added: Python writes it beside a model that MLflow loads from its folder."""
    return [f"{name} is compiled code" for name in registered_files(folder) if name.endswith(".pyc")]
