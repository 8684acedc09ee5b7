"""Columns that are shares of one whole, by category: paid_by_card_30d, paid_by_wallet_30d ...

What their sum lacks of one belongs to no known category. When the categories' source is missing, or names them anew,
each share alone looks like drift; their sum tells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from monitoring.faults.column import MISSING, Column, Counts, is_gradual, odds_ratio
from monitoring.faults.fault import Fault, FaultKind
from monitoring.faults.limits import FaultLimits

NOTHING_LEFT = 0.95
"""When hardly anything belongs to a known category it is a fault, however slowly it came: histories fill slowly."""

WHOLE = (0.5, 1.05)
"""The mean shares of a family add up to nearly one, or to most of it."""


@dataclass(frozen=True)
class ShareFamily:
    """Columns whose names differ in one part, `pattern` has a star for it, and that add up to most of a whole."""

    pattern: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(one.name for one in self.columns)

    def rest(self, counts: Sequence[Counts]) -> float:
        """Return the mean share that belongs to no column, given counts of each column."""
        known = sum(_mean(column, one) for column, one in zip(self.columns, counts, strict=True))
        return float(np.clip(1 - known, 0, 1))


def families_of(columns: Sequence[Column]) -> list[ShareFamily]:
    """Return the families of shares, each column in the first that it belongs to."""
    found: list[ShareFamily] = []
    taken: set[str] = set()
    shares = [one for one in columns if _is_share(one)]
    for pattern, members in _groups(shares):
        family = ShareFamily(pattern, tuple(one for one in members if one.name not in taken))
        if len(family.columns) > 1 and _is_whole(family):
            found.append(family)
            taken |= {*family.names}
    return found


def categories_lost(family: ShareFamily, limits: FaultLimits) -> Fault | None:
    """Return a fault where much of the whole belongs to no known category any more, all at once."""
    now = family.rest([one.current for one in family.columns])
    reference = family.rest([one.reference for one in family.columns])
    months = [family.rest(month) for month in zip(*(one.months for one in family.columns), strict=False)]
    known = max(reference, *months, 0.0)
    present = min(int(one.current[MISSING + 1 :].sum()) for one in family.columns)
    if present < limits.rows or now - known < limits.lost or odds_ratio(now, known) < limits.odds:
        return None
    earlier = [family.rest(window) for window in zip(*(one.earlier for one in family.columns), strict=False)]
    return None if now < NOTHING_LEFT and is_gradual(reference, earlier, now) else _fault(family, now, known)


def _fault(family: ShareFamily, now: float, known: float) -> Fault:
    furthest = max(family.columns, key=lambda one: _mean(one, one.reference) - _mean(one, one.current))
    return Fault(
        FaultKind.MISSING_RISEN,
        furthest.name,
        f"Of '{family.pattern}' ({len(family.columns)} columns) about {now:.0%} belongs to no category that is known, "
        f"in the reference at most {known:.0%}.",
        "The column that these shares are taken over came without values, or under new names.",
        "Look at that column in the source of the last weeks, restore its values or declare their new names, prepare "
        "and score again; every share of it is too small until then, and so it would be learned.",
    )


def _is_share(column: Column) -> bool:
    bins = column.bins
    return bins.edges is not None and 0 <= bins.lowest < bins.highest <= 1


def _groups(columns: Sequence[Column]) -> Iterator[tuple[str, list[Column]]]:
    """Yield columns whose names share their beginning, and their last part or nothing, the longest beginnings first."""
    groups: dict[tuple[tuple[str, ...], tuple[str, ...], int], list[Column]] = {}
    for column in columns:
        parts = column.name.split("_")
        for begin in range(len(parts) - 1, 0, -1):
            for end in (1, 0) if begin < len(parts) - 1 else (0,):
                key = (tuple(parts[:begin]), tuple(parts[len(parts) - end :]), int(column.reference[MISSING]))
                groups.setdefault(key, []).append(column)
    for (begins, ends, _), members in sorted(groups.items(), key=lambda one: (-len(one[0][1]), -len(one[0][0]))):
        if len(members) > 1:
            yield "_".join((*begins, "*", *ends)), members


def _is_whole(family: ShareFamily) -> bool:
    total = sum(_mean(one, one.reference) for one in family.columns)
    return WHOLE[0] <= total <= WHOLE[1]


def _mean(column: Column, counts: Counts) -> float:
    """Return the mean of the present values, each taken for the middle of its bin."""
    bins = column.bins
    cuts = np.array([bins.lowest, *(bins.edges or ()), bins.highest])
    middles = np.array([bins.lowest, *(cuts[:-1] + cuts[1:]) / 2, bins.highest])
    present = counts[MISSING + 1 :]
    return float(present @ middles / max(int(present.sum()), 1))
