"""The kind of change behind a report, as far as it can be known: data, applicants, or outcomes."""

from collections.abc import Sequence

from monitoring.faults.fault import Fault
from monitoring.measures.move import Move
from monitoring.outcomes.contradictions import Contradiction
from monitoring.outcomes.performance import PerformanceReport
from monitoring.outcomes.vintage import KINDS, VintagePerformance
from monitoring.thresholds.share_changes import ShareChange
from monitoring.thresholds.thresholds import MOVED
from pipelines.profiles.reference_profile import SCORE

DATA_FAULT = "data fault"
MIX_SHIFT = "mix shift"
FRAUD = "fraud"
LEVEL_SHIFT = "level shift"
CONCEPT_CHANGE = "concept change"


def contradictions(performance: PerformanceReport | None) -> list[tuple[VintagePerformance, Contradiction]]:
    """Return what contradicts the model in the newest vintage with outcomes of each kind."""
    if performance is None:
        return []
    newest: list[tuple[VintagePerformance, Contradiction]] = []
    for kind in KINDS:
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
    is a level shift (an economic shock, other terms). First payments that fail beyond what the later payments of the
    same loans explain are a sign of fraud. Levels and segments that vanish or appear are named as that; the mix shifted
    where other columns moved too.
    """
    causes = [DATA_FAULT] if faults else []
    causes += [cause_of(*one) for one in contradictions(performance)]
    causes += [one.cause for one in shares]
    explained = {SCORE, *(one.column for one in shares)}
    if any(move.judgement.level in MOVED and move.column not in explained for move in moves) and not faults:
        causes.append(MIX_SHIFT)
    return tuple(dict.fromkeys(causes))


def cause_of(vintage: VintagePerformance, contradiction: Contradiction) -> str:
    """Return the kind of change that a contradiction of the outcomes of a vintage means.

    First payments that fail beyond what later payments explain also raise every other early level.
    """
    is_early = contradiction is not vintage.matured_contradiction
    if is_early and vintage.fraud_contradiction is not None and vintage.fraud_contradiction.found:
        return FRAUD
    return CONCEPT_CHANGE if contradiction.ranks_worse else LEVEL_SHIFT
