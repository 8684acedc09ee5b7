"""Notes an erasure in the manifests and receipts above the files that it changed."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pipelines.erasures.record import NOTES
from pipelines.score_log.receipts import Receipts
from pipelines.secrets.environment_text import resolved
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.fingerprint import fingerprint_files
from pipelines.storage.workspace import Workspace

MANIFESTS = ("manifest.json", "_book.json")


def note_in_manifests(workspace: Workspace, rows: Mapping[str, int], entry: int) -> None:
    """Note an erasure, by its entry in the chain, in each manifest above a changed file.

    A manifest's counts stay; its note has the rows that were removed since. Repeated calls keep one note.
    """
    removed = Counter[Path]()
    for path, count in rows.items():
        for folder in (workspace.root / path).parents:
            for name in MANIFESTS:
                if folder.is_relative_to(workspace.root) and (folder / name).is_file():
                    removed[folder / name] += count
    for manifest, count in removed.items():
        _note(manifest, entry, count)


def note_in_receipts(workspace: Workspace, rows: Mapping[str, int], entry: int) -> None:
    """Note an erasure in the receipts of the partitions of the score log that lost decisions."""
    decisions = workspace.score_log / "decisions"
    for path, count in rows.items():
        file = workspace.root / path
        if file.is_relative_to(decisions):
            key = file.relative_to(decisions).parent
            receipts = Receipts(workspace.score_log / "receipts" / key)
            if (receipts.folder / f"{file.stem}.json").exists():
                receipt = receipts.of(file.stem)
                receipts.keep(replace(receipt, erased_since=receipt.erased_since | {str(entry): count}))
                _note_in_batches(workspace.score_log / "manifests" / key, file.stem, receipts)


def _note_in_batches(folder: Path, partition: str, receipts: Receipts) -> None:
    """Update the manifests of the batches that scored a partition from its receipt."""
    for manifest in sorted(folder.glob("*.json")):
        record: dict[str, Any] = json.loads(manifest.read_text())
        parts = record.get("parts", [])
        if any(one["partition"] == partition for one in parts):
            now = asdict(receipts.of(partition))
            with whole_file(manifest) as temporary:
                record["parts"] = [now if one["partition"] == partition else one for one in parts]
                temporary.write_text(json.dumps(record, indent=1))


def _note(manifest: Path, entry: int, rows: int) -> None:
    record: dict[str, Any] = json.loads(manifest.read_text())
    notes = [one for one in record.get(NOTES, []) if one["entry"] != entry]
    note: dict[str, Any] = {"entry": entry, "rows": rows}
    if "training_fingerprint" in record:
        before = next(
            (one["training_fingerprint_before"] for one in record.get(NOTES, []) if one["entry"] == entry), None
        )
        note["training_fingerprint_before"] = before or record["training_fingerprint"]
        record["training_fingerprint"] = _training_fingerprint(manifest.parent, record["identity"])
    with whole_file(manifest) as temporary:
        temporary.write_text(json.dumps(record | {NOTES: [*notes, note]}, indent=1) + "\n")


def _training_fingerprint(folder: Path, identity: str) -> str:
    """Return the fingerprint of a marketplace's training table from the files as they are now."""
    made = folder if folder.name == identity else folder / "prepared" / identity
    return fingerprint_files({path.name: path for path in (made / "applications" / "mature").glob("*.parquet")})


def sources_outside(workspace: Workspace) -> list[str]:
    """Return the folders outside of the workspace that its lakes were read from."""
    folders = set[str]()
    for manifest in sorted(workspace.lake.glob("*/manifest.json")):
        raw = resolved(json.loads(manifest.read_text()).get("configuration", {}).get("raw", {}))
        if raw.get("folder"):
            folder = Path(raw["folder"]).expanduser().resolve()
            if not folder.is_relative_to(workspace.root):
                folders.add(str(folder))
    return sorted(folders)
