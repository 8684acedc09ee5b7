"""A category that disappeared while an unknown one took its share."""

from scipy.special import bdtr

from monitoring.faults.column import Column, is_gradual, share
from monitoring.faults.fault import Fault, Subject, column_finder
from monitoring.faults.limits import FaultLimits

LEVEL_RENAMED = "category renamed"

Shares = dict[str, float]

CHANCE = 1e-6
"""Probability that a category of half its share occurs so rarely by chance."""

VARIES = 0.25
"""A category that had less than this part of its share in a month of the reference comes and goes by itself."""


def renamed_category(column: Column, limits: FaultLimits) -> Fault | None:
    """Return a fault where frequent categories disappeared and as many rows have what is rare in the reference."""
    if column.is_numeric:
        return None
    gone = {
        level: before
        for bin_index, level in enumerate(column.bins.levels, start=1)
        if (before := share(column.reference, bin_index)) >= limits.level
        and _disappeared(column, bin_index, before, limits)
    }
    new = sum(share(column.current, bin_index) - share(column.reference, bin_index) for bin_index in (-1, -2))
    if not gone or not limits.taken <= new / sum(gone.values()) <= 1 / limits.taken:
        return None
    return _fault(column, gone, _new_names(column, gone), new)


def _disappeared(column: Column, bin_index: int, before: float, limits: FaultLimits) -> bool:
    """Whether a category disappeared suddenly: each month of the reference has it, and chance does not explain it."""
    now, rows = share(column.current, bin_index), int(column.current.sum())
    if now > limits.kept * before or bdtr(int(column.current[bin_index]), rows, before / 2) > CHANCE:
        return False
    if any(share(month, bin_index) < VARIES * before for month in column.months):
        return False
    return not is_gradual(before, [share(one, bin_index) for one in column.earlier], now)


def _new_names(column: Column, gone: Shares) -> dict[str, str]:
    if column.sample is None or column.sample.dropna().empty:
        return {}
    counts = column.sample.dropna().astype(str).value_counts() / len(column.sample)
    new = {str(level): float(part) for level, part in counts.items() if level not in {*column.bins.levels}}
    names: dict[str, str] = {}
    for level, part in sorted(gone.items(), key=lambda one: -one[1]):
        likely = min(new, key=lambda name: (not _alike(name, level), abs(new[name] - part)), default=None)
        if likely is not None and (_alike(likely, level) or 0.5 <= new[likely] / part <= 2):
            names[level] = likely
            del new[likely]
    return names


def _alike(one: str, other: str) -> bool:
    """Whether two names differ in case, spaces and punctuation alone."""
    plain, other_plain = ("".join(letter for letter in name.casefold() if letter.isalnum()) for name in (one, other))
    return plain == other_plain


def _fault(column: Column, gone: Shares, names: dict[str, str], new: float) -> Fault:
    levels = ", ".join(f"'{level}' ({part:.1%})" for level, part in gone.items())
    renamed = [f"'{names[level]}' for '{level}'" for level in gone if level in names]
    noun = "categories" if len(gone) > 1 else "category"
    return Fault(
        LEVEL_RENAMED,
        column.name,
        f"The {noun} {levels} of '{column.name}' disappeared, and {new:.1%} more of the rows have categories that are "
        f"absent or rare in the reference{': ' if renamed else ''}{', '.join(renamed)}.",
        "The source names its categories differently: a new code list, language, case or system.",
        f"Map the new names of '{column.name}' to those that the model knows and score the period again; the model "
        "treats a new name as unknown.",
    )


FINDER = column_finder(LEVEL_RENAMED, renamed_category, Subject.VALUES, rank=30)
