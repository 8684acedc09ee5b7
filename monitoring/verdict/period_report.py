"""The report of a window of decisions before it is drawn: verdict, moves, faults, decisions, performance."""

from dataclasses import dataclass
from enum import Enum

from monitoring.decision_mix.decision_mix import DecisionMix
from monitoring.faults.fault import Fault
from monitoring.measures.attribution import Attribution
from monitoring.measures.effects import Effect
from monitoring.measures.move import Move
from monitoring.measures.score_comparison import ScoreComparison
from monitoring.outcomes.performance import PerformanceReport
from monitoring.thresholds.share_changes import ShareChange
from pipelines.score_log.key import LogKey


class Verdict(Enum):
    """What the on-call engineer has to do.

    `incomplete`: nothing yet, the window is not over. `inconclusive`: find out why too little could be compared.
    """

    STABLE = "stable"
    WATCH = "watch"
    ACT = "act"
    INCOMPLETE = "incomplete"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Point:
    """One line below the verdict: a heading of a word or two, and a sentence."""

    heading: str
    text: str


@dataclass(frozen=True)
class PeriodReport:
    """Everything that a report shows of one window, in the order of the page.

    `window` names the window ("2026-10", "2026-08 to 2026-10"), `reference` what it is compared with. `points` are what
    moved, where, since when, its effect and the next step. `notes` are what a reader must know about the comparison (a
    reference of one period, a fault that hides a move, a segment that is too small). `causes` are the kinds of change
    (`monitoring.verdict.causes`). `cannot_see` are changes that the report would not have named, `smallest_changes` the
    smallest ones that it would have named, by kind. `share_changes` are levels and segments that vanished or appeared;
    `attribution` is what moved the score.
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
    decision_mix: tuple[DecisionMix, ...] = ()
    performance: PerformanceReport | None = None
    notes: tuple[str, ...] = ()
    score: ScoreComparison | None = None
    causes: tuple[str, ...] = ()
    cannot_see: tuple[str, ...] = ()
    smallest_changes: tuple[Point, ...] = ()
    share_changes: tuple[ShareChange, ...] = ()
    attribution: Attribution | None = None
