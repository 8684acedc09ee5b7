"""The moves by segment: a row per column, a cell per segment."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.measures.move import Move
from monitoring.report.formatting import psi, q_value, some
from monitoring.report.gauge import nearness
from monitoring.report.ordering import RANK, WORDS, is_moved
from monitoring.thresholds.thresholds import EVERYONE, Level

SHADES = 4
FEWEST_ROWS = 8
"""Rows that are shown unfolded even where nothing moved."""


@dataclass(frozen=True)
class HeatCell:
    """The text of a cell, its class in the style sheet and its tooltip."""

    kind: str
    text: str
    tooltip: str


@dataclass(frozen=True)
class HeatRow:
    """The cells of one column, in the order of the segments."""

    column: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True)
class HeatMap:
    """`shown` are the columns that moved in some segment, or are closest to it, `rest` the others; `small` are the
    segments that are too small in every column."""

    segments: tuple[str, ...]
    shown: tuple[HeatRow, ...]
    rest: tuple[HeatRow, ...]
    small: tuple[str, ...]
    moved: int


def heat_map(moves: Sequence[Move]) -> HeatMap | None:
    """Return the map, None where no segments were compared."""
    segments = tuple(dict.fromkeys(move.segment for move in moves))
    if set(segments) <= {EVERYONE}:
        return None
    columns: dict[str, dict[str, Move]] = {}
    for move in moves:
        columns.setdefault(move.column, {})[move.segment] = move
    ordered = sorted(columns.items(), key=lambda one: _loudest(list(one[1].values())))
    moved = sum(any(is_moved(move) for move in cells.values()) for _, cells in ordered)
    rows = [HeatRow(column, tuple(_cell(cells.get(one)) for one in segments)) for column, cells in ordered]
    cut = max(moved, min(FEWEST_ROWS, len(rows)))
    small = tuple(one for one in segments if all(_is_small(cells.get(one)) for cells in columns.values()))
    return HeatMap(segments, tuple(rows[:cut]), tuple(rows[cut:]), small, moved)


def _loudest(moves: Sequence[Move]) -> tuple[int, float]:
    compared = [one for one in moves if not _is_small(one)] or list(moves)
    return min(RANK[one.judgement.level] for one in compared), -max(one.judgement.excess for one in compared)


def _is_small(move: Move | None) -> bool:
    return move is None or move.judgement.level is Level.TOO_SMALL


def _cell(move: Move | None) -> HeatCell:
    if move is None:
        return HeatCell("absent", "", "not compared")
    judgement = move.judgement
    cell = f"{move.column}, {move.segment}, {some(judgement.rows, 'decision')}"
    if judgement.level is Level.TOO_SMALL:
        return HeatCell("small", "", f"{cell}: too small to compare")
    text = f"{cell}: PSI {psi(judgement.psi)}, limit {psi(judgement.limit)}, q {q_value(judgement.q_value)}"
    kind = judgement.level.value if is_moved(move) else f"quiet{nearness(judgement, SHADES)}"
    return HeatCell(kind, psi(judgement.psi) if is_moved(move) else "", f"{text}, {WORDS[judgement.level]}")
