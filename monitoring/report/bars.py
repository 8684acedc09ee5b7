"""Two distributions side by side: for each bin its share in the reference and in the window."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitoring.measures.move import Move

MOST_BARS = 14
MISSING = "missing"


@dataclass(frozen=True)
class Bar:
    """One bin: shares of 0 to 1, rows, and the lengths of both bars in percent of the longest."""

    label: str
    reference: float
    current: float
    reference_rows: int
    rows: int
    reference_length: float
    length: float


def bars_of(move: Move) -> list[Bar]:
    """Return the bars of a move in the order of its bins; of very many bins the largest ones, and the rest as one.

    A bin for missing values that is empty on both sides is left out.
    """
    bins = [one for one in zip(move.labels, move.reference, move.current, strict=True) if _is_shown(*one)]
    reference, current = max(sum(move.reference), 1), max(sum(move.current), 1)
    shown = _at_most(bins, reference, current)
    longest = max((max(before / reference, after / current) for _, before, after in shown), default=0.0) or 1.0
    return [
        Bar(
            label,
            before / reference,
            after / current,
            before,
            after,
            100 * before / reference / longest,
            100 * after / current / longest,
        )
        for label, before, after in shown
    ]


Bin = tuple[str, int, int]


def _is_shown(label: str, before: int, after: int) -> bool:
    return label not in (MISSING, "other", "unseen") or before + after > 0


def _at_most(bins: Sequence[Bin], reference: int, current: int) -> list[Bin]:
    if len(bins) <= MOST_BARS:
        return list(bins)
    large = sorted(range(len(bins)), key=lambda index: -max(bins[index][1] / reference, bins[index][2] / current))
    kept = sorted(large[: MOST_BARS - 1])
    rest = [bins[index] for index in sorted(large[MOST_BARS - 1 :])]
    return [*(bins[index] for index in kept), _summed(rest)]


def _summed(rest: Iterable[Bin]) -> Bin:
    parts = list(rest)
    return f"{len(parts)} more", sum(one[1] for one in parts), sum(one[2] for one in parts)
