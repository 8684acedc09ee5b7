"""Decisions of the service that a scored table decided otherwise before they were in the score log."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pipelines.serving.decider import Journalled
from pipelines.serving.journal import force_to_disk

logger = logging.getLogger(__name__)

CONTRADICTED = "contradicted.jsonl"
"""The file that keeps them, below the folder of the service."""

_BODY = msgspec.json.Decoder(Journalled)


def set_aside(path: Path, records: Sequence[Journalled]) -> int:
    """Append records to a file and return how many; those that a killed command has kept there are left out."""
    kept = {_BODY.decode(line).row.decision_id for line in _whole_lines(path)} if records else set()
    new = [one for one in records if one.row.decision_id not in kept]
    if new:
        with path.open("ab") as file:
            file.writelines(msgspec.json.encode(one) + b"\n" for one in new)
        force_to_disk(path)
        logger.error(
            "%d applications already have another decision in the score log; those of the service are in %s",
            len(new),
            path,
        )
    return len(new)


def _whole_lines(path: Path) -> list[bytes]:
    """Return the lines of a file; one that a kill cut off is removed from it."""
    content = path.read_bytes() if path.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    return whole.splitlines()
