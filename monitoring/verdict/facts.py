"""Everything that a verdict rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monitoring.decision_mix.decision_mix import DecisionMix
from monitoring.faults.fault import Fault
from monitoring.faults.observed import Searched
from monitoring.measures.attribution import Attribution
from monitoring.measures.effects import Effect
from monitoring.measures.move import Move
from monitoring.outcomes.performance import PerformanceReport
from monitoring.thresholds.share_changes import ShareChange
from monitoring.verdict.too_little import too_little


@dataclass(frozen=True)
class Facts:
    """Everything that a verdict rests on.

    `share_changes` are levels and segments that vanished or appeared, `attribution` is what moved the score.
    `not_compared` has the reason for each column that is left out, `searched` what could be searched for faults; both
    are for what a report says about itself.
    """

    moves: Sequence[Move] = ()
    share_changes: Sequence[ShareChange] = ()
    attribution: Attribution | None = None
    faults: Sequence[Fault] = ()
    effect: Effect | None = None
    decision_mix: Sequence[DecisionMix] = ()
    performance: PerformanceReport | None = None
    incomplete: str | None = None
    rows: int | None = None
    not_compared: Mapping[str, str] = field(default_factory=dict)
    searched: Searched | None = None

    @property
    def shares(self) -> list[ShareChange]:
        """The changes of shares that no data fault of their column explains."""
        faulty = {one.column for one in self.faults}
        return [one for one in self.share_changes if one.column not in faulty]

    @property
    def too_little(self) -> list[str]:
        """The reasons why too little could be compared."""
        return too_little(self.rows, self.moves, self.performance)
