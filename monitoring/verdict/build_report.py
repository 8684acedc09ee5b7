"""A report from what is known of a window: the verdict, its sentence and its notes."""

from collections.abc import Sequence

from monitoring.measures.score_comparison import compare_scores
from monitoring.thresholds.thresholds import EVERYONE, Level
from monitoring.verdict.causes import causes_of
from monitoring.verdict.period_report import PeriodReport
from monitoring.verdict.verdict import Facts, points_of, sentence_of, verdict_of
from monitoring.windows.references import Reference
from monitoring.windows.windows import Window


def compose(title: str, window: Window, reference: Reference, facts: Facts, notes: Sequence[str]) -> PeriodReport:
    """Return the report of a window; `notes` are what a reader must know besides what follows from the facts."""
    key, verdict = window.key, verdict_of(facts)
    return PeriodReport(
        title=title,
        key=key,
        window=window.name,
        reference=reference.name,
        rows=len(window),
        verdict=verdict,
        sentence=sentence_of(facts, verdict),
        points=points_of(facts),
        moves=tuple(facts.moves),
        faults=tuple(facts.faults),
        effect=facts.effect,
        conduct=tuple(facts.conduct),
        performance=facts.performance,
        notes=(*notes, *_notes(reference, facts)),
        score=compare_scores(reference.total.scores, window.profile.overall.scores),
        causes=causes_of(facts.moves, facts.faults, facts.performance),
    )


def _notes(reference: Reference, facts: Facts) -> list[str]:
    moves, faults = facts.moves, facts.faults
    if facts.incomplete is not None:
        return []
    found = []
    if len(reference.overall) == 1:
        found.append(
            "The reference is one period: how much months differ by themselves is not known, only sampling counts as "
            "noise."
        )
    small = sorted({one.segment for one in moves if one.judgement.level is Level.TOO_SMALL and one.segment != EVERYONE})
    if small:
        found.append(f"Too small to tell drift from chance: {', '.join(small)}.")
    if faults:
        found.append("A column with a fault moves the score and other columns with it; mend it before reading them.")
    return found
