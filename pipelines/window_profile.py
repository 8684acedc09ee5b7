"""What a part of the score log looks like: counts in the frozen bins of a reference profile; parts add up."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.fingerprint import fingerprint_record
from pipelines.reference_profile import FrozenBins, ReferenceProfile


@dataclass
class Tally:
    """Counts over `rows` decisions: of each column in its frozen bins, of bands, decisions and groups of reasons."""

    rows: int = 0
    columns: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    bands: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

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
        )

    def record(self) -> dict[str, Any]:
        """Return the counts as JSON holds them."""
        counted = ((name, sorted(getattr(self, name).items())) for name in ("bands", "decisions", "reasons"))
        columns = {name: counts.tolist() for name, counts in self.columns.items()}
        return {"rows": self.rows, "columns": columns} | {name: dict(counts) for name, counts in counted}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Tally":
        """Return the counts that JSON holds."""
        columns = {name: np.array(counts, dtype=np.int64) for name, counts in record["columns"].items()}
        counted = (Counter(record[name]) for name in ("bands", "decisions", "reasons"))
        return cls(record["rows"], columns, *counted)


@dataclass(frozen=True)
class WindowProfile:
    """The counts of a part of the log, overall and by segment; rows without a segment count in `overall` alone.

    `bins` names the frozen bins that were counted in: counts in other bins are not comparable.
    """

    bins: str
    overall: Tally
    segments: Mapping[str, Tally]

    def __add__(self, other: Self) -> "WindowProfile":
        names = sorted({*self.segments, *other.segments})
        found = {name: self.segments.get(name, Tally()) + other.segments.get(name, Tally()) for name in names}
        return WindowProfile(self.bins, self.overall + other.overall, found)

    def to_json(self) -> str:
        """Return the profile as text."""
        segments = {name: tally.record() for name, tally in sorted(self.segments.items())}
        return json.dumps({"bins": self.bins, "overall": self.overall.record(), "segments": segments})

    @classmethod
    def from_json(cls, text: str) -> "WindowProfile":
        """Return the profile that the text describes."""
        record = json.loads(text)
        segments = {name: Tally.of(found) for name, found in record["segments"].items()}
        return cls(record["bins"], Tally.of(record["overall"]), segments)


def name_of_bins(profile: ReferenceProfile) -> str:
    """Return a name that two reference profiles share when they count in the same bins."""
    return _name(profile.bins)


@lru_cache(maxsize=8)
def _name(bins: tuple[FrozenBins, ...]) -> str:
    return fingerprint_record([[one.column, one.levels, one.rare, one.lowest, one.highest, one.edges] for one in bins])
