"""The kind of change behind a report, as far as it can be known: data, applicants, or outcomes."""

from collections.abc import Sequence

from monitoring.faults.fault import Fault
from monitoring.measures.move import Move
from monitoring.outcomes.observed import Contradiction
from monitoring.outcomes.performance import PerformanceReport
from monitoring.outcomes.vintage import VintagePerformance
from monitoring.thresholds.share_changes import ShareChange
from monitoring.thresholds.thresholds import MOVED
from pipelines.credit.loan import FIRST_PAYMENT
from pipelines.profiles.reference_profile import SCORE

DATA_FAULT = "data fault"
MIX_SHIFT = "mix shift"
FRAUD = "fraud"
LEVEL_SHIFT = "level shift"
CONCEPT_CHANGE = "concept change"

IN_DOUBT = 0.05
"""With a smaller p-value, more failures of later payments make it doubtful that failed first payments mean fraud."""


def contradictions(performance: PerformanceReport | None) -> list[tuple[VintagePerformance, Contradiction]]:
    """Return the contradiction of the newest vintage with early outcomes, and of the newest with matured ones."""
    if performance is None:
        return []
    newest: list[tuple[VintagePerformance, Contradiction]] = []
    for kind in ("early_contradiction", "matured_contradiction"):
        tested = [one for one in performance.vintages if getattr(one, kind) is not None]
        if tested:
            contradiction: Contradiction = getattr(tested[-1], kind)
            if performance.is_contradicted(contradiction):
                newest.append((tested[-1], contradiction))
    return newest


def causes_of(
    moves: Sequence[Move],
    faults: Sequence[Fault],
    performance: PerformanceReport | None,
    shares: Sequence[ShareChange] = (),
) -> tuple[str, ...]:
    """Return the kinds of change that are found, the most certain first.

    Features show that the mix of applicants moved, but not why: a change in what features mean for default can only be
    found from outcomes. Where outcomes rank worse than expected it is a concept change; where only their level moved it
    is a level shift (an economic shock, other terms). More failed first payments are a sign of fraud, unless those who
    made their first payment fail more often later as well. Levels and segments that vanish or appear are named as that;
    the mix shifted where other columns moved too.
    """
    causes = [DATA_FAULT] if faults else []
    causes += [cause_of(*one) for one in contradictions(performance)]
    causes += [one.cause for one in shares]
    explained = {SCORE, *(one.column for one in shares)}
    if any(move.judgement.level in MOVED and move.column not in explained for move in moves) and not faults:
        causes.append(MIX_SHIFT)
    return tuple(dict.fromkeys(causes))


def cause_of(vintage: VintagePerformance, contradiction: Contradiction) -> str:
    """Return the kind of change that a contradiction of the outcomes of a vintage means."""
    early = vintage.early
    is_early = contradiction is vintage.early_contradiction
    is_worse = contradiction.level.observed > contradiction.level.expected
    if is_early and early is not None and early.definition == FIRST_PAYMENT and contradiction.level_moved and is_worse:
        return LEVEL_SHIFT if _fails_later(vintage.later_contradiction) else FRAUD
    return CONCEPT_CHANGE if contradiction.ranks_worse else LEVEL_SHIFT


def _fails_later(later: Contradiction | None) -> bool:
    return later is not None and later.level.p_value < IN_DOUBT and later.level.observed > later.level.expected
