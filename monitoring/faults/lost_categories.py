"""Columns that are shares of one whole, by category: paid_by_card_30d, paid_by_wallet_30d ...

The part of the whole that their sum does not reach belongs to no known category. When the source of the categories is
missing or renames them, each share alone looks like drift; their sum shows the fault.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from monitoring.faults.column import Column, is_gradual, odds_ratio
from monitoring.faults.fault import Fault, Finder, Finding, Search, Subject
from monitoring.faults.limits import FaultLimits
from monitoring.faults.missing_risen import MISSING_RISEN
from monitoring.faults.observed import MISSING, Counts

NOTHING_LEFT = 0.95
"""A larger part without a known category is a fault even if it rose slowly, because histories fill slowly."""

WHOLE = (0.5, 1.05)
"""Range of the sum of the mean shares of a family."""


@dataclass(frozen=True)
class ShareFamily:
    """Columns whose names differ in one part (a star in `pattern`) and whose means add up to most of a whole."""

    pattern: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(one.name for one in self.columns)

    def rest(self, counts: Sequence[Counts]) -> float:
        """Return the mean share that belongs to no column, given counts of each column."""
        total = sum(_mean(column, one) for column, one in zip(self.columns, counts, strict=True))
        return float(np.clip(1 - total, 0, 1))


def families_of(columns: Sequence[Column]) -> list[ShareFamily]:
    """Return the families of shares; a column belongs to the first family that it fits."""
    families: list[ShareFamily] = []
    taken: set[str] = set()
    shares = [one for one in columns if _is_share(one)]
    for pattern, members in _groups(shares):
        family = ShareFamily(pattern, tuple(one for one in members if one.name not in taken))
        if len(family.columns) > 1 and _is_whole(family):
            families.append(family)
            taken |= {*family.names}
    return families


def lost_categories(search: Search) -> Iterator[Finding]:
    """Yield a fault for each family of which much suddenly belongs to no known category."""
    for family in families_of(search.columns):
        fault = _of_family(family, search.limits)
        if fault is not None:
            yield Finding(fault, family.names)


FINDER = Finder(MISSING_RISEN, lost_categories, Subject.VALUES | Subject.MISSING, rank=0)


def _of_family(family: ShareFamily, limits: FaultLimits) -> Fault | None:
    now = family.rest([one.current for one in family.columns])
    reference = family.rest([one.reference for one in family.columns])
    months = [family.rest(month) for month in zip(*(one.months for one in family.columns), strict=False)]
    before = max(reference, *months, 0.0)
    present = min(int(one.current[MISSING + 1 :].sum()) for one in family.columns)
    if present < limits.rows or now - before < limits.lost or odds_ratio(now, before) < limits.odds:
        return None
    earlier = [family.rest(window) for window in zip(*(one.earlier for one in family.columns), strict=False)]
    return None if now < NOTHING_LEFT and is_gradual(reference, earlier, now) else _fault(family, now, before)


def _fault(family: ShareFamily, now: float, before: float) -> Fault:
    furthest = max(family.columns, key=lambda one: _mean(one, one.reference) - _mean(one, one.current))
    return Fault(
        MISSING_RISEN,
        furthest.name,
        f"About {now:.0%} of '{family.pattern}' ({len(family.columns)} columns) belongs to no known category, against "
        f"at most {before:.0%} in the reference.",
        "The column that these shares are computed from has no values, or its categories were renamed.",
        "Check that column in the source for recent weeks, restore its values or map its new names, then prepare and "
        "score again. Do not retrain: until then every share is too small.",
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
    """Return the mean of the present values, each taken as the middle of its bin."""
    bins = column.bins
    cuts = np.array([bins.lowest, *(bins.edges or ()), bins.highest])
    middles = np.array([bins.lowest, *(cuts[:-1] + cuts[1:]) / 2, bins.highest])
    present = counts[MISSING + 1 :]
    return float(present @ middles / max(int(present.sum()), 1))
