"""Why a report is inconclusive: nothing, or too little, could be compared."""

from collections.abc import Iterator, Sequence

from monitoring.measures.move import Move
from monitoring.outcomes.performance import PerformanceReport
from monitoring.thresholds.thresholds import EVERYONE, Level
from pipelines.profiles.frozen_bins import LEAST_ROWS

LEAST_COMPARED = 0.5
"""A report is conclusive where the score and at least this share of the columns of all decisions can be compared."""


def too_little(rows: int | None, moves: Sequence[Move], performance: PerformanceReport | None) -> list[str]:
    """Return the reasons why a report is inconclusive, none where enough was compared; unknown `rows` are no reason."""
    if rows is None:
        return []
    if performance is None:
        return [*_of_rows(rows, moves)]
    return [*_of_rows(rows, moves), *performance.unmatched, *map(str, performance.immaturity)]


def _of_rows(rows: int, moves: Sequence[Move]) -> Iterator[str]:
    if not rows:
        yield "no rows were delivered"
        return
    # The score of a reference of fewer than 2 * LEAST_ROWS is in a single bin, which shows no move.
    overall = [one for one in moves if one.segment == EVERYONE]
    compared = [one for one in overall if one.judgement.level is not Level.TOO_SMALL]
    has_score = any(one.is_score and one.judgement.reference_rows >= 2 * LEAST_ROWS for one in compared)
    if has_score and len(compared) >= LEAST_COMPARED * len(overall):
        return
    reference = max((one.judgement.reference_rows for one in overall), default=rows)
    fewer = min(rows, reference)
    subject = f"{fewer:,} row{'s' * (fewer != 1)}{' of the reference' * (reference < rows)}"
    small = len(overall) - len(compared)
    columns = f"{small} of {len(overall)} columns" if small else "the score"
    yield f"{subject} {'is' if fewer == 1 else 'are'} too few to compare {columns}"
