"""Builds the report of a window from its facts: the verdict, its sentence, its points and its notes."""

from collections.abc import Sequence

from monitoring.measures.score_comparison import compare_scores
from monitoring.thresholds.thresholds import EVERYONE, Level
from monitoring.verdict.causes import causes_of
from monitoring.verdict.period_report import PeriodReport
from monitoring.verdict.verdict import Facts, points_of, sentence_of, verdict_of
from monitoring.windows.references import Reference
from monitoring.windows.windows import Window


def build_report(title: str, window: Window, reference: Reference, facts: Facts, notes: Sequence[str]) -> PeriodReport:
    """Return the report of a window; `notes` precede those that follow from the facts."""
    verdict = verdict_of(facts)
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
        score=compare_scores(reference.total.scores, window.profile.overall.scores),
        causes=causes_of(facts.moves, facts.faults, facts.performance),
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
