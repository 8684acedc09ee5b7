"""A category that vanished while one that was never seen took its share."""

from scipy.special import bdtr

from monitoring.faults.column import Column, is_gradual, share
from monitoring.faults.fault import Fault, FaultKind
from monitoring.faults.limits import FaultLimits

Shares = dict[str, float]

CHANCE = 1e-6
"""A category of half its share is so rarely found so little by chance."""

VARIES = 0.25
"""A category that a month of the reference held at less than this part of its share comes and goes by itself."""


def level_renamed(column: Column, limits: FaultLimits) -> Fault | None:
    """Return a fault where frequent categories vanished and as many rows hold what the reference rarely had."""
    if column.is_numeric or column.current.sum() < limits.rows:
        return None
    gone = {
        level: known
        for place, level in enumerate(column.bins.levels, start=1)
        if (known := share(column.reference, place)) >= limits.level and _vanished(column, place, known, limits)
    }
    new = sum(share(column.current, place) - share(column.reference, place) for place in (-1, -2))
    if not gone or not limits.taken <= new / sum(gone.values()) <= 1 / limits.taken:
        return None
    return _fault(column, gone, _names(column, gone), new)


def _vanished(column: Column, place: int, known: float, limits: FaultLimits) -> bool:
    """Whether a category is gone at once: no month of the reference lacked it, and chance does not explain it."""
    now, rows = share(column.current, place), int(column.current.sum())
    if now > limits.kept * known or bdtr(int(column.current[place]), rows, known / 2) > CHANCE:
        return False
    if any(share(month, place) < VARIES * known for month in column.months):
        return False
    return not is_gradual(known, [share(one, place) for one in column.earlier], now)


def _names(column: Column, gone: Shares) -> dict[str, str]:
    """Return the likely new name of each category that is gone, from the values that were kept."""
    if column.sample is None or column.sample.dropna().empty:
        return {}
    known = {*column.bins.levels}
    found = column.sample.dropna().astype(str).value_counts() / len(column.sample)
    news = {str(level): float(part) for level, part in found.items() if level not in known}
    names: dict[str, str] = {}
    for level, part in sorted(gone.items(), key=lambda one: -one[1]):
        likely = min(news, key=lambda name: (not _alike(name, level), abs(news[name] - part)), default=None)
        if likely is not None and (_alike(likely, level) or 0.5 <= news[likely] / part <= 2):
            names[level] = likely
            del news[likely]
    return names


def _alike(one: str, other: str) -> bool:
    """Whether two spellings differ in case, spaces and punctuation alone."""
    ours, theirs = ("".join(letter for letter in name.casefold() if letter.isalnum()) for name in (one, other))
    return ours == theirs


def _fault(column: Column, gone: Shares, names: dict[str, str], new: float) -> Fault:
    told = [f"'{level}' ({part:.1%})" for level, part in gone.items()]
    renamed = [f"'{names[level]}' for '{level}'" for level in gone if level in names]
    by = f": {', '.join(renamed)}" if renamed else ""
    verb = "are" if len(told) > 1 else "is"
    return Fault(
        FaultKind.LEVEL_RENAMED,
        column.name,
        f"Of '{column.name}' {', '.join(told)} {verb} gone, and {new:.1%} of the rows hold what the reference never or "
        f"rarely held{by}.",
        "The source spells its categories differently: a new code list, language, case or system.",
        f"Map the new names of '{column.name}' back to those that the model knows, and score the period again; to the "
        "model a new name is an unknown one.",
    )
