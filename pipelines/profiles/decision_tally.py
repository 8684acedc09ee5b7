"""Counts of decisions: each column in its frozen bins, the score exactly, bands, outcomes and reasons by name."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.profiles.score_counts import ScoreCounts


@dataclass
class Tally:
    """Counts over `rows` decisions: of each column in its frozen bins, of the score, bands, decisions and reasons.

    `scores` are empty where they were not counted; `reasons` are groups of features.
    """

    rows: int = 0
    columns: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    bands: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    scores: ScoreCounts = field(default_factory=ScoreCounts)

    def __add__(self, other: Self) -> "Tally":
        ours, theirs = self.columns or other.columns, other.columns or self.columns
        both = self.columns and other.columns
        columns = {name: ours[name] + theirs[name] for name in ours} if both else dict(ours)
        return Tally(
            self.rows + other.rows,
            columns,
            self.bands + other.bands,
            self.decisions + other.decisions,
            self.reasons + other.reasons,
            self.scores + other.scores,
        )

    def record(self) -> dict[str, Any]:
        """Return the counts as JSON holds them."""
        counted = ((name, sorted(getattr(self, name).items())) for name in ("bands", "decisions", "reasons"))
        columns = {name: counts.tolist() for name, counts in self.columns.items()}
        record: dict[str, Any] = {"rows": self.rows, "columns": columns, "scores": self.scores.record()}
        return record | {name: dict(counts) for name, counts in counted}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Tally":
        """Return the counts that JSON holds; earlier versions did not count the score."""
        columns = {name: np.array(counts, dtype=np.int64) for name, counts in record["columns"].items()}
        bands, decisions, reasons = (Counter(record[name]) for name in ("bands", "decisions", "reasons"))
        scores = ScoreCounts.of_record(record.get("scores", {}))
        return cls(record["rows"], columns, bands, decisions, reasons, scores)
