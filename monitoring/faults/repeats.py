"""Rows that came more than once: rows of features that equal another in everything that hardly two people share."""

import pandas as pd

from monitoring.faults.column import errors_apart, odds_ratio
from monitoring.faults.fault import Fault, FaultKind
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import Observed

TELLING = 3
"""A row is one person's where it has so many telling numbers; many people have no history, and all the same values."""

VARIETY = 0.2
"""A column of numbers is telling where so many of its rows hold values of their own."""

LEAST_REPEATS = 5


def repeated_share(sample: pd.DataFrame, rows: int) -> float | None:
    """Return the share of a window's rows that repeat others, judged by a sample of its features, None: cannot be told.

    Of `rows` rows the sample holds a part s, so of two equal rows it holds both in a part s of the cases where it
    holds one: what is found is divided by s.
    """
    numbers = sample.select_dtypes("number")
    telling = [str(name) for name in numbers if _is_telling(numbers[name])]
    if len(telling) < TELLING or not rows:
        return None
    own = sample[(_own_values(sample[telling])).sum(axis=1) >= TELLING]
    if own.empty:
        return None
    repeats = int(own.duplicated().sum())
    return min(repeats / len(own) * rows / len(sample), 1.0) if repeats >= LEAST_REPEATS else 0.0


def duplicates(window: Observed, earlier: list[Observed], limits: FaultLimits) -> Fault | None:
    """Return a fault where rows repeat others far more than in any window before."""
    now = window.repeated
    if now is None or window.rows < limits.rows:
        return None
    known = max((one.repeated or 0.0 for one in earlier), default=0.0)
    apart = errors_apart(now * window.rows, window.rows, known * window.rows, window.rows)
    if now - known < limits.duplicates or odds_ratio(now, known) < limits.odds or apart < limits.errors:
        return None
    return Fault(
        FaultKind.DUPLICATES,
        None,
        f"About {now:.1%} of {window.rows:,} rows repeat another one in every feature; before it was {known:.1%}.",
        "The same applications were delivered more than once under new ids, or a join multiplied them.",
        "Remove the repeated rows where they arise and score the period again; counted twice they bend every share.",
    )


def _is_telling(values: pd.Series) -> bool:
    present = values.dropna()
    return len(present) >= 2 and present.nunique() >= VARIETY * len(values)


def _own_values(columns: pd.DataFrame) -> pd.DataFrame:
    """Return where a number is present and not the one that most rows share."""
    modes = {name: columns[name].mode().iloc[0] for name in columns}
    return pd.DataFrame({name: columns[name].notna() & (columns[name] != modes[name]) for name in columns})
