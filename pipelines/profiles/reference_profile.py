"""The reference profile of a model: counts of every column in frozen bins."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from pipelines.credit.population import Population
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.missing_given import MissingGiven

SCORE = "points"
"""The name of the score's own column in a profile."""

ANY_TIME = "any time"
"""The name of a reference's one period where its applications have no times."""


@dataclass(frozen=True)
class ReferenceProfile:
    """Frozen bins and counts of the score and of each feature, over `rows` applications of one population.

    `by_period` has the same counts, and those of the score, month by month; where no times are known, of all at once
    under `ANY_TIME`. It is empty in a profile that an earlier version wrote. `missing_given` has for each column the
    others that explain where it is missing, `contributions` what each of its bins adds to the log-odds of bad.
    """

    rows: int
    population: Population
    bins: tuple[FrozenBins, ...]
    counts: Mapping[str, tuple[int, ...]]
    by_period: Mapping[str, Tally] = field(default_factory=dict)
    missing_given: Mapping[str, tuple[MissingGiven, ...]] = field(default_factory=dict)
    contributions: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the profile as text."""
        record: dict[str, Any] = {"rows": self.rows, "population": self.population.value}
        record |= {"bins": [asdict(one) for one in self.bins], "counts": self.counts}
        record["by_period"] = {period: tally.record() for period, tally in self.by_period.items()}
        record["missing_given"] = {name: [asdict(one) for one in some] for name, some in self.missing_given.items()}
        record["contributions"] = self.contributions
        return json.dumps(record, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the profile that the text describes."""
        record = json.loads(text)
        bins = tuple(_bins_from(one) for one in record["bins"])
        counts = {column: tuple(column_counts) for column, column_counts in record["counts"].items()}
        by_period = {period: Tally.of(tally) for period, tally in record.get("by_period", {}).items()}
        given = {
            column: tuple(MissingGiven(one["other"], tuple(one["rates"])) for one in some)
            for column, some in record.get("missing_given", {}).items()
        }
        means = {column: tuple(some) for column, some in record.get("contributions", {}).items()}
        return cls(record["rows"], Population(record["population"]), bins, counts, by_period, given, means)


def _bins_from(record: Mapping[str, Any]) -> FrozenBins:
    edges = None if record["edges"] is None else tuple(record["edges"])
    levels, rare = tuple(record["levels"]), tuple(record["rare"])
    return FrozenBins(
        record["column"], edges, record["lowest"], record["highest"], levels, rare, record.get("twice", 0)
    )
