"""What a report cannot see, and the smallest change that it would have named."""

from collections.abc import Iterator, Sequence

import numpy as np

from monitoring.faults.column import errors_apart
from monitoring.faults.limits import FaultLimits
from monitoring.measures.move import Move
from monitoring.measures.score_comparison import ScoreComparison
from monitoring.outcomes.performance import PerformanceReport
from monitoring.thresholds.thresholds import EVERYONE, Level
from monitoring.verdict.facts import Facts
from monitoring.verdict.period_report import Point
from pipelines.errors import listed

NAMED = 6
LARGEST_PSI = 10.0
"""Of two normal distributions, PSI 10 is a move by more than three standard deviations."""

NOTHING = "All changes, because nothing was compared"


def cannot_see(facts: Facts) -> tuple[str, ...]:
    """Return the changes that a report would not have named, of any size or in a small part of the rows."""
    if facts.incomplete is not None or facts.rows == 0:
        return (NOTHING,)
    return (*_joint(facts), *_columns(facts), *_rows(facts), *_outcomes(facts.performance))


def _joint(facts: Facts) -> Iterator[str]:
    yield "Changes of several columns together that leave each column as it was, overall and in each segment"
    if {move.segment for move in facts.moves} <= {EVERYONE}:
        yield "Changes within a part of the applicants that cancel out over all: no segments were compared"


def _columns(facts: Facts) -> Iterator[str]:
    if facts.not_compared:
        names = listed([f"{name} ({why})" for name, why in facts.not_compared.items()], NAMED)
        yield f"Changes in columns that are not compared: {names}"
    overall = [one.column for one in _of_level(facts.moves, small=True) if one.segment == EVERYONE]
    if overall:
        yield f"Changes in columns with too few rows: {listed(overall, NAMED)}"
    segments = _small_segments(facts.moves)
    if segments:
        yield f"Changes in segments with too few rows: {listed(segments, NAMED)}"


def _rows(facts: Facts) -> Iterator[str]:
    limits, searched = FaultLimits(), facts.searched
    if searched is None:
        return
    if searched.repeats:
        yield f"Rows that were delivered twice, in fewer than {limits.duplicates:.0%} of the rows"
    else:
        yield "Rows that were delivered twice: too few numeric columns, or values, distinguish the rows"
    if searched.values:
        yield f"Another unit in fewer than {limits.part:.0%} of the rows"
    else:
        yield "Values outside the range of the reference: none of this window's values are stored"
    if not searched.volume:
        yield "A fall in the number of rows: no earlier period is known"


def _outcomes(performance: PerformanceReport | None) -> Iterator[str]:
    change = "A change in what features mean for default, or in its level"
    if performance is None:
        yield f"{change}: no outcomes were given"
        return
    tested = [one.period for one in performance.vintages if one.early_contradiction or one.matured_contradiction]
    if not tested:
        yield f"{change}: no vintage has enough outcomes"
    elif tested[-1] != performance.vintages[-1].period:
        yield f"{change}, after {tested[-1]}: outcomes are not known yet"
    yield from (f"{change}, from {one.since} on: outcomes are possibly immature" for one in performance.immaturity)
    yield from performance.left_out


def smallest_changes(facts: Facts, score: ScoreComparison | None) -> tuple[Point, ...]:
    """Return the smallest change of each kind that would have been named."""
    if facts.incomplete is not None or not facts.rows:
        return ()
    return (*_moves(facts.moves, score), *_faults(facts), *_levels(facts.performance))


def _moves(moves: Sequence[Move], score: ScoreComparison | None) -> Iterator[Point]:
    compared = [one for one in _of_level(moves, small=False) if np.isfinite(one.judgement.limit)]
    overall = [one for one in compared if one.segment == EVERYONE]
    points = next((one for one in overall if one.is_score), None)
    if points is not None:
        limit = points.judgement.limit
        shift = "" if score is None else f", such as all scores {_shift(limit) * _deviation(score):.0f} points higher"
        yield Point("score", f"PSI {limit:.2g}{shift}")
    columns = [one for one in overall if one is not points]
    if columns:
        yield Point("columns", _range(columns))
    # The column of a segment has one value in it.
    segments = [one for one in compared if one.segment != EVERYONE and not one.segment.startswith(f"{one.column}=")]
    if segments:
        yield Point("segments", _range(segments))


def _range(moves: Sequence[Move]) -> str:
    """Return the least and the largest limit, and what the least is of a number and of a category.

    Limits that no move reaches, where the few periods of the reference leave their variation unknown, are named apart.
    """
    reachable = [one for one in moves if one.judgement.limit <= LARGEST_PSI]
    beyond = [_name(one) for one in moves if one.judgement.limit > LARGEST_PSI]
    never = f"no move is named in {listed(beyond, 3)}: too few periods to know how much they vary" if beyond else ""
    if not reachable:
        return never
    first, last = (choose(reachable, key=lambda one: one.judgement.limit) for choose in (min, max))
    low, high = first.judgement.limit, last.judgement.limit
    others = "" if f"{low:.2g}" == f"{high:.2g}" else f" ({_name(first)}) to {high:.2g} ({_name(last)})"
    number = f"a number moved by {_shift(low):.2f} standard deviations"
    category = f"a category of 50% that gains or loses {100 * _points_of_half(low):.0f} points"
    text = f"PSI {low:.2g}{others}; {low:.2g} is {number}, or {category}"
    return f"{text}; {never}" if never else text


def _name(move: Move) -> str:
    return move.column if move.segment == EVERYONE else f"{move.column} in {move.segment}"


def _shift(psi: float) -> float:
    """Return the move of a normal distribution, in standard deviations, that has a PSI without bins."""
    return float(np.sqrt(psi))


def _points_of_half(psi: float) -> float:
    """Return by how much a share of a half changes at a PSI: 2 d ln((1/2 + d) / (1/2 - d)).

    >>> round(_points_of_half(2 * 0.1 * np.log(0.6 / 0.4)), 3)
    0.1
    """
    changes = np.linspace(0.0, 0.4999, 5000)
    return float(np.interp(psi, 2 * changes * np.log((0.5 + changes) / (0.5 - changes)), changes))


def _deviation(score: ScoreComparison) -> float:
    points, rows = np.array(score.points, dtype=float), np.array(score.reference, dtype=float)
    return float(np.sqrt(np.cov(points, aweights=rows, ddof=0))) if len(points) > 1 else 0.0


def _faults(facts: Facts) -> Iterator[Point]:
    limits, searched = FaultLimits(), facts.searched
    if searched is None or searched.rows < limits.rows:
        return
    yield Point("missing values", f"{_share(limits.missing, searched.rows, searched.reference_rows)} more of the rows")
    if searched.values:
        share = _share(limits.outside, searched.rows, searched.reference_rows)
        far = " with one value or far outside" if searched.reference_rows >= limits.least_reference else " far outside"
        yield Point("values outside the reference", f"{share} of the rows{far}")
    if searched.volume:
        yield Point("number of rows", f"a fall to less than {limits.volume:.0%} of what earlier periods predict")


def _share(least: float, rows: int, reference_rows: int) -> str:
    """Return the least share of the rows that is beyond chance where the reference has none."""
    limits = FaultLimits()
    hits = next(
        hits
        for hits in range(int(np.ceil(least * rows)), rows + 1)
        if hits == rows or errors_apart(hits, rows, 0, reference_rows) >= limits.errors
    )
    return f"{hits / rows:.1%}"


def _levels(performance: PerformanceReport | None) -> Iterator[Point]:
    if performance is None:
        return
    settings = performance.settings
    tested = [one for one in performance.vintages if one.matured_contradiction or one.early_contradiction]
    if tested:
        yield Point(
            "outcomes",
            f"beyond chance, a bad rate {settings.level_floor:g} times as high or low as expected, or an AUC "
            f"{settings.ranking_floor:g} lower",
        )


def _of_level(moves: Sequence[Move], *, small: bool) -> list[Move]:
    return [one for one in moves if (one.judgement.level is Level.TOO_SMALL) == small]


def _small_segments(moves: Sequence[Move]) -> list[str]:
    compared = {one.segment for one in _of_level(moves, small=False)}
    return sorted({one.segment for one in moves} - compared - {EVERYONE})
