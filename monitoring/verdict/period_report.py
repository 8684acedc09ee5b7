"""What a report says of a window of decisions, before it is drawn: verdict, moves, faults, conduct, performance."""

from dataclasses import dataclass
from enum import Enum

from monitoring.decision_mix.decision_mix import PeriodConduct
from monitoring.faults.fault import Fault
from monitoring.measures.effects import Effect
from monitoring.measures.move import Move
from monitoring.measures.score_comparison import ScoreComparison
from monitoring.outcomes.performance import PerformanceReport
from pipelines.score_log.key import LogKey


class Verdict(Enum):
    """What the on-call engineer has to do; `incomplete`: nothing yet, the window is not compared."""

    STABLE = "stable"
    WATCH = "watch"
    ACT = "act"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class Point:
    """One line of the verdict: a heading of a word or two, and a sentence."""

    heading: str
    text: str


@dataclass(frozen=True)
class PeriodReport:
    """All that a report says of one window, in the order in which it says it.

    `window` names the window ("2026-10", "2026-08 to 2026-10"), `reference` what it is compared with. `points` tell
    what moved, for whom, since when, how much it matters and what to look at next. `notes` are what a reader must know
    of the comparison (a reference of one period, a fault that hides a move, a segment that is too small). `causes` name
    what kind of change it is (`monitoring.verdict.causes`).
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
