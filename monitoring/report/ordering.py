"""The order of moves on the page: by level, then by effect."""

from collections.abc import Iterable

from monitoring.measures.attribution import Attribution
from monitoring.measures.move import Move
from monitoring.report.formatting import apart, psi
from monitoring.thresholds.thresholds import EVERYONE, MOVED, Level

RANK = {Level.ACT: 0, Level.WATCH: 1, Level.QUIET: 2, Level.TOO_SMALL: 3}
WORDS = {Level.ACT: "act", Level.WATCH: "watch", Level.QUIET: "quiet", Level.TOO_SMALL: "too small to compare"}


def by_effect(moves: Iterable[Move]) -> list[Move]:
    """Return moves by level, then by the excess of their PSI over sampling noise, the largest first."""
    return sorted(moves, key=lambda one: (RANK[one.judgement.level], -one.judgement.excess))


def by_decisions(moves: Iterable[Move], attribution: Attribution | None) -> list[Move]:
    """Return moves of all decisions by level, then by how much they moved the score, then by effect."""
    sizes = {} if attribution is None else {one.column: abs(one.log_odds) for one in attribution.that_matter}
    return sorted(of_everyone(moves), key=lambda one: (RANK[one.judgement.level], -sizes.get(one.column, 0.0)))


def of_everyone(moves: Iterable[Move]) -> list[Move]:
    """Return the moves of all decisions, by effect."""
    return by_effect(one for one in moves if one.segment == EVERYONE)


def score_first(moves: Iterable[Move]) -> list[Move]:
    """Return the moves of all decisions: the score, then by effect."""
    return sorted(of_everyone(moves), key=lambda one: not one.is_score)


def is_moved(move: Move) -> bool:
    """Whether a move is at watch or act level."""
    return move.judgement.level in MOVED


def headline(move: Move) -> str:
    """Return a move in a line: its column, its PSI, its limit, and its level where it moved."""
    value, limit = move.judgement.psi, move.judgement.limit
    pair = (psi(value), psi(limit)) if psi(value) != psi(limit) else apart(value, limit)
    level = f", {WORDS[move.judgement.level].upper()}" if is_moved(move) else ""
    return f"{move.column}: PSI {pair[0]}, limit {pair[1]}{level}"
