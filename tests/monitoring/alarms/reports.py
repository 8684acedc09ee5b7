"""Small reports of periods, with the moves and faults that a test names."""

from collections.abc import Sequence
from typing import Any

from monitoring.faults.fault import Fault
from monitoring.faults.unit_changed import UNIT_CHANGED
from monitoring.measures.move import Move
from monitoring.thresholds.thresholds import EVERYONE, Cell, Judgement, Level
from monitoring.verdict.period_report import PeriodReport, Verdict
from pipelines.credit.population import Population
from pipelines.score_log.key import LogKey

FAULT = Fault(UNIT_CHANGED, "income", "the median of Ann Lee is 100 times", "cents", "mend the source")


def move(column: str, level: Level = Level.ACT, segment: str = EVERYONE) -> Move:
    """Return a move of a column."""
    judgement = Judgement(Cell(column, segment), level, 0.4, 0.4, 0.1, 0.0, None, 0.0, 0.0, 9, 90, 12, 1)
    return Move(judgement, "feature", ("low", "high"), (50, 40), (2, 7))


def report(
    moves: Sequence[Move] = (move("income"),),
    verdict: Verdict = Verdict.ACT,
    period: str = "2026-10",
    faults: Sequence[Fault] = (),
    **told: Any,
) -> PeriodReport:
    """Return the report of a period."""
    key = LogKey("credit_score", 3, Population.applications, period)
    sentence = "Ann Lee moved"
    return PeriodReport(
        "title", key, period, "2025", 9, verdict, sentence, (), tuple(moves), faults=tuple(faults), **told
    )
