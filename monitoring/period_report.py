"""What a report says of a window of decisions, before it is drawn: verdict, moves, faults, conduct, performance."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from monitoring.comparison.thresholds import EVERYONE, Judgement
from monitoring.performance.performance import PerformanceReport
from pipelines.reference_profile import SCORE
from pipelines.score_log import LogKey


class Verdict(Enum):
    """What the on-call engineer has to do; `incomplete`: nothing yet, the window is not compared."""

    STABLE = "stable"
    WATCH = "watch"
    ACT = "act"
    INCOMPLETE = "incomplete"


Role = Literal["score", "points", "band", "decision", "reason", "feature"]


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


def _product(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first * second


@dataclass(frozen=True)
class Effect:
    """How much the window differs from the reference in what the business feels.

    Shares of decisions approved, and mean PD of all and of the approved; None where a side does not tell. Expected loss
    is the approved ones' mean PD times `loss_given_default`, a share of the amount lent.
    """

    approval_rate: float
    reference_approval_rate: float | None
    mean_pd: float | None
    reference_mean_pd: float | None
    approved_mean_pd: float | None
    reference_approved_mean_pd: float | None
    loss_given_default: float | None = None

    @property
    def expected_loss(self) -> float | None:
        """The expected loss per unit lent to the approved, None where it is not told."""
        return _product(self.approved_mean_pd, self.loss_given_default)

    @property
    def reference_expected_loss(self) -> float | None:
        """The same of the reference."""
        return _product(self.reference_approved_mean_pd, self.loss_given_default)


@dataclass(frozen=True)
class GroupConduct:
    """Decisions on one group of a protected attribute in a period; `ratio` is its approval rate over the best one's."""

    attribute: str
    group: str
    rows: int
    approved: int
    ratio: float | None
    is_low: bool

    @property
    def approval_rate(self) -> float:
        """The approved among the group."""
        return self.approved / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class PeriodConduct:
    """Decisions of one period: how many, by outcome and by reason, what people changed, and by protected group."""

    period: str
    rows: int
    decisions: Mapping[str, int]
    reasons: Mapping[str, int]
    reviewed: int
    to_approved: int
    to_declined: int
    groups: tuple[GroupConduct, ...]


@dataclass(frozen=True)
class Point:
    """One line of the verdict: a heading of a word or two, and a sentence."""

    heading: str
    text: str


@dataclass(frozen=True)
class ScoreComparison:
    """The score point by point: how many rows of the reference and of the window got each number of `points`.

    The distances are exact, for points are whole: Kolmogorov-Smirnov, Wasserstein in points, Jensen-Shannon.
    """

    points: tuple[int, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]
    kolmogorov_smirnov: float
    wasserstein: float
    jensen_shannon: float


@dataclass(frozen=True)
class PeriodReport:
    """All that a report says of one window, in the order in which it says it.

    `window` names the window ("2026-10", "2026-08 to 2026-10"), `reference` what it is compared with. `points` tell
    what moved, for whom, since when, how much it matters and what to look at next. `notes` are what a reader must know
    of the comparison (a reference of one period, a fault that hides a move, a segment that is too small). `causes` name
    what kind of change it is (`monitoring.causes`).
    """

    title: str
    key: LogKey
    window: str
    reference: str
    rows: int
    verdict: Verdict
    sentence: str
    points: tuple[Point, ...]
    moves: tuple[Move, ...]
    faults: tuple[Fault, ...] = ()
    effect: Effect | None = None
    conduct: tuple[PeriodConduct, ...] = ()
    performance: PerformanceReport | None = None
    notes: tuple[str, ...] = ()
    score: ScoreComparison | None = None
    causes: tuple[str, ...] = ()
