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
    """Return the bars of a move in the order of its bins; of very many, the ones that hold most, and the rest as one.

    A bin for missing values that is empty on both sides is left out.
    """
    bins = [one for one in zip(move.labels, move.reference, move.current, strict=True) if _is_told(*one)]
    known, now = max(sum(move.reference), 1), max(sum(move.current), 1)
    told = _at_most(bins, known, now)
    longest = max((max(before / known, after / now) for _, before, after in told), default=0.0) or 1.0
    return [
        Bar(
            label,
            before / known,
            after / now,
            before,
            after,
            100 * before / known / longest,
            100 * after / now / longest,
        )
        for label, before, after in told
    ]


Bin = tuple[str, int, int]


def _is_told(label: str, before: int, after: int) -> bool:
    return label not in (MISSING, "other", "unseen") or before + after > 0


def _at_most(bins: Sequence[Bin], known: int, now: int) -> list[Bin]:
    if len(bins) <= MOST_BARS:
        return list(bins)
    large = sorted(range(len(bins)), key=lambda place: -max(bins[place][1] / known, bins[place][2] / now))
    kept = sorted(large[: MOST_BARS - 1])
    rest = [bins[place] for place in sorted(large[MOST_BARS - 1 :])]
    return [*(bins[place] for place in kept), _summed(rest)]


def _summed(rest: Iterable[Bin]) -> Bin:
    parts = list(rest)
    return f"{len(parts)} more", sum(one[1] for one in parts), sum(one[2] for one in parts)
