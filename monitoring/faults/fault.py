"""A data fault: its kind, what was seen, its likely cause and the remedy."""

from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """What is wrong with data: the remedy is at the source, not a new model."""

    COLUMN_GONE = "column gone"
    MISSING_RISEN = "missing values risen"
    UNIT_CHANGED = "unit changed"
    LEVEL_RENAMED = "category renamed"
    CONSTANT = "column constant"
    DUPLICATES = "duplicates"
    QUARANTINE_RISEN = "more rows quarantined"
    VOLUME_FALLEN = "volume fallen"
    STALE = "stale data"


@dataclass(frozen=True)
class Fault:
    """A data fault: what was seen, with its figures, its likely cause and what to do about it, a sentence each."""

    kind: FaultKind
    column: str | None
    seen: str
    cause: str
    remedy: str
