"""How far one column of one segment lies from its reference."""

from dataclasses import dataclass
from typing import Literal

from monitoring.thresholds.thresholds import EVERYONE, Judgement
from pipelines.profiles.reference_profile import SCORE


@dataclass(frozen=True)
class Distances:
    """How far two samples of a column lie apart, as far as the bins tell; of the reference's and the window's rows.

    `jensen_shannon` is over all bins, missing values included. Of numbers, those present: the least and the most that
    the Kolmogorov-Smirnov and the Wasserstein distance (in the column's unit) can be. The latter is None where values
    lie beyond the reference's range, for nobody tells how far.
    """

    jensen_shannon: float
    kolmogorov_smirnov: tuple[float, float] | None = None
    wasserstein: tuple[float, float] | None = None


Role = Literal["score", "points", "band", "decision", "reason", "feature"]


@dataclass(frozen=True)
class Move:
    """How far one column of one segment lies from the reference: the judgement, and the counts that it was made from.

    `role` says what the column is; `column` names it. `labels`, `reference` and `current` name and count the bins as
    they are compared, in order, all of the same length. `since` is the first of the periods in a row that were watched
    or acted on, None where this one is quiet. `distances` are other measures of the same counts.
    """

    judgement: Judgement
    role: Role
    labels: tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]
    since: str | None = None
    distances: Distances | None = None

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
        """Whether it is the score of all decisions."""
        return self.column == SCORE and self.segment == EVERYONE
