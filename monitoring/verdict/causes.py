"""What kind of change it is, as far as it can be told: from data, from who applies, from outcomes."""

from collections.abc import Sequence

from monitoring.faults.fault import Fault
from monitoring.measures.move import Move
from monitoring.outcomes.observed import Contradiction
from monitoring.outcomes.performance import PerformanceReport
from monitoring.outcomes.vintage import VintagePerformance
from monitoring.thresholds.thresholds import Level
from pipelines.credit.loan import FIRST_PAYMENT

DATA_FAULT = "data fault"
MIX_SHIFT = "mix shift"
FRAUD = "fraud"
LEVEL_SHIFT = "level shift"
CONCEPT_CHANGE = "concept change"

IN_DOUBT = 0.05
"""Later payments that fail more often by a smaller chance than this make it doubtful that first payments tell fraud."""

Contradicted = tuple[VintagePerformance, Contradiction]


def contradictions(performance: PerformanceReport | None) -> list[Contradicted]:
    """Return the contradiction of the newest vintage with early outcomes, and of the newest with matured ones."""
    if performance is None:
        return []
    found: list[Contradicted] = []
    for kind in ("early_contradiction", "matured_contradiction"):
        known = [one for one in performance.vintages if getattr(one, kind) is not None]
        if known:
            said: Contradiction = getattr(known[-1], kind)
            if said.ranks_worse or said.level_moved:
                found.append((known[-1], said))
    return found


def causes_of(moves: Sequence[Move], faults: Sequence[Fault], performance: PerformanceReport | None) -> tuple[str, ...]:
    """Return the kinds of change that are seen, the most certain first.

    Features tell that the mix of applicants moved, and nothing of why: a change of what features mean for default can
    only be named from outcomes. Where they rank worse than expected it is a change of concept, where only their level
    is off a shift of level (an economic shock, other terms). First payments that fail more often are a mark of fraud,
    unless those who made theirs fail more often afterwards too.
    """
    found = [DATA_FAULT] if faults else []
    found += [cause_of(*one) for one in contradictions(performance)]
    if any(move.judgement.level in (Level.WATCH, Level.ACT) for move in moves) and not faults:
        found.append(MIX_SHIFT)
    return tuple(dict.fromkeys(found))


def cause_of(vintage: VintagePerformance, said: Contradiction) -> str:
    """Return what kind of change the outcomes of a vintage tell of, given how they contradict what was expected."""
    early = vintage.early
    is_early = said is vintage.early_contradiction
    worse = said.level.observed > said.level.expected
    if is_early and early is not None and early.definition == FIRST_PAYMENT and said.level_moved and worse:
        return LEVEL_SHIFT if _fails_later(vintage.later_contradiction) else FRAUD
    return CONCEPT_CHANGE if said.ranks_worse else LEVEL_SHIFT


def _fails_later(later: Contradiction | None) -> bool:
    """Whether those who made their first payment fail more often than expected too."""
    return later is not None and later.level.p_value < IN_DOUBT and later.level.observed > later.level.expected
