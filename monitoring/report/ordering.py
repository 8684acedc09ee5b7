"""Which moves a reader sees first: those that ask for something, then the largest effect."""

from collections.abc import Iterable

from monitoring.measures.move import Move
from monitoring.report.formatting import apart, psi
from monitoring.thresholds.thresholds import EVERYONE, Level

RANK = {Level.ACT: 0, Level.WATCH: 1, Level.QUIET: 2, Level.TOO_SMALL: 3}
WORDS = {Level.ACT: "act", Level.WATCH: "watch", Level.QUIET: "quiet", Level.TOO_SMALL: "too small to compare"}


def by_effect(moves: Iterable[Move]) -> list[Move]:
    """Return moves by level, within each by what of their PSI sampling does not leave, the largest first."""
    return sorted(moves, key=lambda one: (RANK[one.judgement.level], -one.judgement.excess))


def of_everyone(moves: Iterable[Move]) -> list[Move]:
    """Return the moves of all decisions, by effect."""
    return by_effect(one for one in moves if one.segment == EVERYONE)


def score_first(moves: Iterable[Move]) -> list[Move]:
    """Return the moves of all decisions: the score, then by effect."""
    return sorted(of_everyone(moves), key=lambda one: not one.is_score)


def is_moved(move: Move) -> bool:
    """Whether a move asks to be watched or acted on."""
    return move.judgement.level in (Level.WATCH, Level.ACT)


def headline(move: Move) -> str:
    """Return a move in a line: its column, its PSI, its limit, and the level where it asks for something."""
    found, limit = move.judgement.psi, move.judgement.limit
    pair = (psi(found), psi(limit)) if psi(found) != psi(limit) else apart(found, limit)
    level = f", {WORDS[move.judgement.level].upper()}" if is_moved(move) else ""
    return f"{move.column}: PSI {pair[0]}, limit {pair[1]}{level}"
