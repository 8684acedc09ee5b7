"""The verdict of a report with its reason, its figures and the next step."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from monitoring.decision_mix.decision_mix import DecisionMix
from monitoring.measures.effects import Effect
from monitoring.measures.move import Move
from monitoring.measures.score_comparison import compare_scores
from monitoring.outcomes.performance import PerformanceReport
from monitoring.outcomes.vintage import VintagePerformance
from monitoring.thresholds.share_changes import ShareChange, ShareKind
from monitoring.thresholds.thresholds import EVERYONE, MOVED, Level
from monitoring.verdict.attribution_in_words import attribution_in_words
from monitoring.verdict.blind_spots import cannot_see, smallest_changes
from monitoring.verdict.causes import CONCEPT_CHANGE, FRAUD, LEVEL_SHIFT, MIX_SHIFT, cause_of, causes_of, contradictions
from monitoring.verdict.facts import Facts
from monitoring.verdict.period_report import PeriodReport, Point, Verdict
from monitoring.windows.months import joined
from monitoring.windows.references import Reference
from monitoring.windows.windows import Window
from pipelines.errors import listed
from pipelines.profiles.reference_profile import SCORE

NAMED = 4
"""Names that a sentence lists before it counts the others."""

CONTRADICTIONS = {
    FRAUD: "first payments fail more often than expected, a sign of fraud",
    LEVEL_SHIFT: "the default rate is not the expected one while the ranking holds (an economic shock, or other terms)",
    CONCEPT_CHANGE: "the score ranks worse than expected, so features no longer predict default as they did",
}

DECLARE_MATURITY = (
    "set outcomes.performance_months to the months in which a loan can turn bad, or leave outcomes empty that are not "
    "known for good: until then the latest vintages are not measured"
)
ONE_CLASS_ONLY = "with too few of one class to test the ranking"
ONE_CLASS = 0.01
"""Outcomes are nearly all of one class where at most this share is of the other: perhaps they are coded otherwise."""


def verdict_of(facts: Facts) -> Verdict:
    """Return the verdict: `act` on a data fault, a move at act level, or outcomes that contradict the model.

    Where none of these is found, a report that could compare too little is inconclusive.
    """
    if facts.incomplete is not None:
        return Verdict.INCOMPLETE
    levels = {move.judgement.level for move in facts.moves} | {one.level for one in facts.shares}
    if facts.faults or Level.ACT in levels or contradictions(facts.performance):
        return Verdict.ACT
    if facts.too_little:
        return Verdict.INCONCLUSIVE
    return Verdict.WATCH if Level.WATCH in levels else Verdict.STABLE


def sentence_of(facts: Facts, verdict: Verdict) -> str:
    """Return the reason for the verdict in a sentence."""
    if facts.incomplete is not None:
        return f"{_capitalised(facts.incomplete)}; no comparison until then."
    reasons = [*_reasons(facts)]
    if not reasons:
        return "No column moved beyond its limit."
    if verdict is Verdict.WATCH:
        reasons.append("the next period will show whether it persists")
    return f"{_capitalised('; '.join(reasons))}."


def points_of(facts: Facts) -> tuple[Point, ...]:
    """Return what moved, where, since when, its effect and the next step."""
    return () if facts.incomplete is not None else tuple(_points(facts))


def _points(facts: Facts) -> Iterator[Point]:
    moved = _moved(facts)
    overall = [move for move in moved if move.segment == EVERYONE]
    if moved and facts.attribution is not None and facts.attribution.that_matter:
        yield Point("what moved the score", attribution_in_words(facts.attribution))
    if moved:
        yield Point("what moved", _columns_with_psi(overall or moved))
        yield Point("where", _segments(overall, moved))
    begun = sorted({move.since for move in moved if move.since is not None})
    if begun:
        yield Point("since", begun[0] + (f", most recently {begun[-1]}" if begun[-1] > begun[0] else ""))
    if facts.effect is not None:
        yield Point("effect", _effect(facts.effect))
    yield from (Point(f"vintage {one.period}", one.statement) for one, _ in contradictions(facts.performance))
    if facts.performance is not None:
        yield Point("outcomes", _outcomes(facts.performance))
        if len(facts.performance.decided_by) > 1:
            deciders = [f"version {version} {rows:,}" for version, rows in facts.performance.decided_by.items()]
            yield Point("decided by", f"{listed(deciders, NAMED)} of the applications of these months")
    low = _low_groups(facts.decision_mix)
    if low:
        yield Point("fairness", f"approved less often than the policy allows: {listed(low, NAMED)}")
    yield Point("next step", _next_step(facts, overall or moved))


def _reasons(facts: Facts) -> Iterator[str]:
    yield from facts.too_little
    if facts.faults:
        kinds = [one.kind if one.column is None else f"{one.column} ({one.kind})" for one in facts.faults]
        yield f"data fault, not a change of applicants: {listed(list(dict.fromkeys(kinds)), NAMED)}"
    for vintage, contradiction in contradictions(facts.performance):
        cause = CONTRADICTIONS[cause_of(vintage, contradiction)]
        if contradiction.ranking is None:
            level = contradiction.level
            rates = f"{level.observed:.1%} bad against {level.expected:.1%}"
            cause = f"the default rate is far from the expected one ({rates}), {ONE_CLASS_ONLY}"
        if contradiction.is_lower_level and facts.performance is not None and not facts.performance.is_mature:
            cause += "; fewer defaults than expected may also mean that the outcomes are not mature"
        yield f"outcomes of {vintage.period} contradict the model: {cause}"
    if facts.shares:
        yield listed([one.sentence for one in facts.shares], NAMED)
    moved = _moved(facts)
    if moved:
        yield _move_reason(facts, moved)


def _move_reason(facts: Facts, moved: Sequence[Move]) -> str:
    parts = []
    columns = list(dict.fromkeys(move.column for move in moved if move.column != SCORE))
    if columns:
        limits = (
            "1 column moved beyond its limit"
            if len(columns) == 1
            else f"{len(columns)} columns moved beyond their limits"
        )
        parts.append(f"{limits}: {listed(columns, NAMED)}")
    parts += _score_reason(facts)
    if not columns:
        parts.append(
            "no other column moved: small moves of many columns, a joint one, or another way to compute the score"
        )
    elif MIX_SHIFT in causes_of(moved, facts.faults, None, facts.shares) and not contradictions(facts.performance):
        parts.append("a shift of the applicant mix, unexplained until outcomes are known")
    return "; ".join(parts)


def _score_reason(facts: Facts) -> Iterator[str]:
    """Yield what the score did, over all decisions or, where it moved there alone, in segments."""
    scores = [move for move in facts.moves if move.column == SCORE]
    overall = next((move for move in scores if move.is_score), None)
    segments = [move.segment for move in _by_excess(scores) if move.judgement.level in MOVED]
    if overall is None:
        return
    if EVERYONE in segments:
        yield "the score moved"
    elif segments:
        yield f"the score moved in {listed(sorted(segments), NAMED)}, not over all decisions"
    else:
        is_small = overall.judgement.level is Level.TOO_SMALL
        yield "the score has too few rows to compare" if is_small else "the score stayed within its limit"


def _moved(facts: Facts) -> list[Move]:
    """Return the moves at watch or act level: those that moved the score most first, then those of the largest PSI."""
    moved = [move for move in facts.moves if move.judgement.level in MOVED]
    sizes = {move.column: facts.attribution.size(move.column) if facts.attribution else 0.0 for move in moved}
    return sorted(moved, key=lambda move: (-sizes[move.column], -move.judgement.excess))


def _by_excess(moves: Sequence[Move]) -> list[Move]:
    return sorted(moves, key=lambda move: -move.judgement.excess)


def _columns_with_psi(moves: Sequence[Move]) -> str:
    texts = []
    for move in moves:
        segment = "" if move.segment == EVERYONE else f" in {move.segment}"
        texts.append(f"{move.column}{segment} (PSI {move.judgement.psi:.2g}, limit {move.judgement.limit:.2g})")
    return listed(texts, NAMED)


def _segments(overall: Sequence[Move], moved: Sequence[Move]) -> str:
    if not overall:
        return f"only in {listed(sorted({move.segment for move in moved}), NAMED)}"
    segments = list(dict.fromkeys(move.segment for move in _by_excess(moved) if move.segment != EVERYONE))
    return f"all decisions, most in {listed(segments, NAMED)}" if segments else "all decisions"


def _effect(effect: Effect) -> str:
    before = effect.reference_approval_rate
    text = f"approval rate {effect.approval_rate:.1%}" + ("" if before is None else f" against {before:.1%}")
    now, then = effect.expected_loss, effect.reference_expected_loss
    if now is not None:
        against = "" if then is None else f" against {then:.2%}"
        text += f", expected loss {now:.2%} of the amount lent{against}"
    return text


def _outcomes(performance: PerformanceReport) -> str:
    """Return which months were judged by which outcomes, and which were not, in their order."""
    runs = [(by, [one.period for one in some]) for by, some in groupby(performance.vintages, key=_judged_by)]
    return "; ".join(f"{joined(run)} {by}" for by, run in runs)


def _judged_by(vintage: VintagePerformance) -> str:
    matured, early = vintage.everyone or vintage.matured, vintage.early
    if vintage.matured_contradiction is not None and matured is not None:
        return f"judged by {matured.definition}"
    if vintage.early_contradiction is not None and early is not None:
        return f"judged by the early outcomes {early.definition}"
    return "without outcomes" if matured is None and early is None else "with too few outcomes"


def _low_groups(decision_mix: Sequence[DecisionMix]) -> list[str]:
    return [f"{one.attribute} {one.group}" for one in decision_mix[-1].groups if one.is_low] if decision_mix else []


def _next_step(facts: Facts, moved: Sequence[Move]) -> str:
    if facts.faults:
        return facts.faults[0].remedy
    if facts.rows == 0:
        return "find out why the delivery is empty, deliver the rows and run the report again"
    rates = [one.level.observed for _, one in contradictions(facts.performance)]
    if any(min(one, 1 - one) <= ONE_CLASS for one in rates):
        return "check how the outcomes are coded (1 is bad) and that good and bad ones are both delivered"
    if facts.performance is not None and facts.performance.immaturity:
        return DECLARE_MATURITY
    if contradictions(facts.performance):
        return "read the vintages below, then retrain on the newest mature outcomes and pass the usual gates"
    if facts.shares:
        return _step_of_share(facts.shares[0])
    if moved and {move.column for move in moved} == {SCORE}:
        return (
            "check that the score is computed as it was: the version, the source of its inputs, and columns that are "
            "not compared"
        )
    if moved:
        column = next(move.column for move in moved if move.column != SCORE)
        return (
            f"look at the bins of {column}, then at who applies (campaigns, channels); early outcomes will show "
            "whether the PDs still hold"
        )
    if facts.too_little:
        return "compare more rows, such as several months together, and find out whether rows or outcomes are missing"
    if facts.performance is not None and any(one.matured_contradiction for one in facts.performance.vintages):
        return "none"
    return "none; only outcomes can show a concept change, estimates without labels cannot"


def _step_of_share(change: ShareChange) -> str:
    if change.kind is ShareKind.APPEARED:
        known = "" if change.is_segment else ", which the model has hardly learnt from"
        return f"find out what {change.subject} is{known}; early outcomes will show whether its PDs hold"
    return f"find out whether {change.subject} still sends applications, or only their delivery stopped"


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def build_report(title: str, window: Window, reference: Reference, facts: Facts, notes: Sequence[str]) -> PeriodReport:
    """Return the report of a window; `notes` precede those that follow from the facts."""
    verdict = verdict_of(facts)
    score = compare_scores(reference.total.scores, window.profile.overall.scores)
    return PeriodReport(
        title=title,
        key=window.key,
        window=window.name,
        reference=reference.name,
        rows=len(window),
        verdict=verdict,
        sentence=sentence_of(facts, verdict),
        points=points_of(facts),
        moves=tuple(facts.moves),
        faults=tuple(facts.faults),
        effect=facts.effect,
        decision_mix=tuple(facts.decision_mix),
        performance=facts.performance,
        notes=(*notes, *_notes(reference, facts)),
        score=score,
        causes=causes_of(facts.moves, facts.faults, facts.performance, facts.shares),
        cannot_see=cannot_see(facts),
        smallest_changes=smallest_changes(facts, score),
        share_changes=tuple(facts.shares),
        attribution=facts.attribution,
    )


def _notes(reference: Reference, facts: Facts) -> list[str]:
    if facts.incomplete is not None:
        return []
    notes = []
    if len(reference.overall) == 1:
        notes.append(
            "The reference is a single period, so the variation between months is unknown: only sampling counts as "
            "noise."
        )
    too_small = [one for one in facts.moves if one.judgement.level is Level.TOO_SMALL and one.segment != EVERYONE]
    if too_small:
        notes.append(f"Too few decisions to compare in: {', '.join(sorted({one.segment for one in too_small}))}.")
    if facts.faults:
        notes.append(
            "A data fault also moves the score and the columns computed from the same data: repair it before you "
            "interpret their drift."
        )
    return notes
