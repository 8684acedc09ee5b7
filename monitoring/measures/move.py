"""How far one column of one segment moved from its reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from monitoring.measures.measure import Value
from monitoring.thresholds.thresholds import EVERYONE, Judgement
from pipelines.profiles.reference_profile import SCORE

Role = Literal["score", "points", "band", "decision", "reason", "feature"]


@dataclass(frozen=True)
class Move:
    """How far one column of one segment moved from the reference: the judgement, and the counts behind it.

    `labels`, `reference` and `current` name and count the bins in order, all of the same length. Values outside the
    range of the reference have bins of their own; they are compared with the bin at that end.
    `since` is the first of the consecutive periods at watch or act level, None where this one is quiet. `measures`
    holds every registered measure by name, None for segments and for bands, decisions and reasons.
    """

    judgement: Judgement
    role: Role
    labels: tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]
    since: str | None = None
    measures: Mapping[str, Value | None] | None = None

    @property
    def column(self) -> str:
        """The name of the column."""
        return self.judgement.cell.column

    @property
    def segment(self) -> str:
        """The segment, EVERYONE for all decisions."""
        return self.judgement.cell.segment

    @property
    def is_score(self) -> bool:
        """Whether the column is the score of all decisions."""
        return self.column == SCORE and self.segment == EVERYONE
