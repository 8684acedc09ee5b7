"""What a report says first: stable, watch or act, why, and what to look at next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitoring.decision_mix.decision_mix import PeriodConduct
from monitoring.faults.fault import Fault
from monitoring.measures.effects import Effect
from monitoring.measures.move import Move
from monitoring.outcomes.performance import PerformanceReport
from monitoring.thresholds.thresholds import EVERYONE, Level
from monitoring.verdict.causes import CONCEPT_CHANGE, FRAUD, LEVEL_SHIFT, cause_of, contradictions
from monitoring.verdict.period_report import Point, Verdict

NAMED = 4
"""A sentence names so many of what it counts."""

OUTCOMES_SAY = {
    FRAUD: "first payments fail more often than expected, a mark of fraud",
    LEVEL_SHIFT: "the level of default has moved while the ranking holds (an economic shock, or other terms)",
    CONCEPT_CHANGE: "the score ranks worse than expected, what features say of default has changed",
}


@dataclass(frozen=True)
class Facts:
    """All that a verdict rests on."""

    moves: Sequence[Move] = ()
    faults: Sequence[Fault] = ()
    effect: Effect | None = None
    conduct: Sequence[PeriodConduct] = ()
    performance: PerformanceReport | None = None
    incomplete: str | None = None


def verdict_of(facts: Facts) -> Verdict:
    """Return what to do: `act` on a fault, a move beyond the floor of acting, or outcomes that contradict the model."""
    if facts.incomplete is not None:
        return Verdict.INCOMPLETE
    levels = {move.judgement.level for move in facts.moves}
    if facts.faults or Level.ACT in levels or contradictions(facts.performance):
        return Verdict.ACT
    return Verdict.WATCH if Level.WATCH in levels else Verdict.STABLE


def sentence_of(facts: Facts, verdict: Verdict) -> str:
    """Return why, in a sentence."""
    if facts.incomplete is not None:
        return f"{_capital(facts.incomplete)}: nothing is compared before."
    parts = list(_causes(facts))
    if parts:
        return f"{_capital('; '.join(parts))}."
    if verdict is Verdict.STABLE:
        return "Nothing moved beyond what matters, noise and season."
    return "Something moved; whether it lasts decides the next period."


def points_of(facts: Facts) -> tuple[Point, ...]:
    """Return what moved, for whom, since when, how much it matters, and what to look at next."""
    if facts.incomplete is not None:
        return ()
    return tuple(point for point in _points(facts) if point is not None)


def _points(facts: Facts) -> Iterator[Point | None]:
    moved = [move for move in facts.moves if move.judgement.level in (Level.WATCH, Level.ACT)]
    everyone = [move for move in moved if move.segment == EVERYONE]
    segments = sorted({move.segment for move in moved if move.segment != EVERYONE})
    yield Point("what moved", _what(everyone or moved)) if moved else None
    yield Point("for whom", _whom(everyone, moved, segments)) if moved else None
    begun = sorted({move.since for move in moved if move.since is not None})
    yield Point("since", begun[0] + (f", the latest {begun[-1]}" if begun[-1] > begun[0] else "")) if begun else None
    yield Point("effect", _effect(facts.effect)) if facts.effect is not None else None
    yield from (Point(f"vintage {one.period}", one.statement) for one, _ in contradictions(facts.performance))
    yield Point("fairness", _fairness(facts.conduct)) if _low(facts.conduct) else None
    yield Point("look next", _next(facts, everyone or moved))


def _causes(facts: Facts) -> Iterator[str]:
    if facts.faults:
        kinds = list(dict.fromkeys(_fault(one) for one in facts.faults))
        yield f"a data fault, not a change of customers: {_some(kinds)}"
    for one, said in contradictions(facts.performance):
        yield f"outcomes of {one.period} contradict the model: {OUTCOMES_SAY[cause_of(one, said)]}"
    moved = [move for move in facts.moves if move.judgement.level in (Level.WATCH, Level.ACT)]
    if moved:
        columns = list(dict.fromkeys(_by_effect(moved)))
        score = next((move for move in facts.moves if move.is_score), None)
        told = "" if score is None else f"; the score {'moved too' if score in moved else 'did not'}"
        kind = "column" if len(columns) == 1 else "columns"
        is_explained = facts.faults or contradictions(facts.performance)
        mix = "" if is_explained else ", a shift of mix, unexplained until outcomes are known"
        yield f"{len(columns)} {kind} moved beyond noise{mix}: {_some(columns)}{told}"


def _fault(one: Fault) -> str:
    return one.kind if one.column is None else f"{one.column} ({one.kind})"


def _by_effect(moves: Sequence[Move]) -> list[str]:
    return [move.column for move in sorted(moves, key=lambda move: -move.judgement.excess)]


def _what(moves: Sequence[Move]) -> str:
    ordered = sorted(moves, key=lambda move: -move.judgement.excess)
    told = [f"{move.column} (PSI {move.judgement.psi:.2g}, limit {move.judgement.limit:.2g})" for move in ordered]
    return _some(list(dict.fromkeys(told)))


def _whom(everyone: Sequence[Move], moved: Sequence[Move], segments: Sequence[str]) -> str:
    if everyone:
        return f"everyone{f', most of all {_some(_most(moved))}' if segments else ''}"
    return f"only {_some(segments)}"


def _most(moved: Sequence[Move]) -> list[str]:
    ordered = sorted((move for move in moved if move.segment != EVERYONE), key=lambda move: -move.judgement.excess)
    return list(dict.fromkeys(move.segment for move in ordered))


def _effect(effect: Effect) -> str:
    before = effect.reference_approval_rate
    parts = [f"approval rate {effect.approval_rate:.1%}" + ("" if before is None else f" against {before:.1%}")]
    now, then = effect.expected_loss, effect.reference_expected_loss
    if now is not None:
        against = "" if then is None else f" against {then:.2%}"
        parts.append(f"expected loss of the approved {now:.2%} of what is lent{against}")
    return ", ".join(parts)


def _low(conduct: Sequence[PeriodConduct]) -> list[str]:
    return [f"{one.attribute} {one.group}" for one in conduct[-1].groups if one.is_low] if conduct else []


def _fairness(conduct: Sequence[PeriodConduct]) -> str:
    return f"approved less often than the policy allows: {_some(_low(conduct))}"


def _next(facts: Facts, moved: Sequence[Move]) -> str:
    if facts.faults:
        return facts.faults[0].remedy
    if contradictions(facts.performance):
        return "the vintages below, then a retraining on the newest mature outcomes through the usual gates"
    if moved:
        column = _by_effect(moved)[0]
        return f"the bins of {column}, then who applies (campaigns, channels); early reads tell if PDs still hold"
    return "nothing now; the estimates of performance cannot see a change of concept, early reads will"


def _some(names: Sequence[str]) -> str:
    """Return names in words, the first few of many.

    >>> _some(["a", "b", "c", "d", "e", "f"])
    'a, b, c, d and 2 more'
    """
    shown, rest = names[:NAMED], len(names) - NAMED
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
