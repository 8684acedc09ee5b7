"""Rows that came more than once: they equal another row in features that people rarely share."""

from collections.abc import Iterator, Sequence

import pandas as pd

from monitoring.faults.column import errors_apart, odds_ratio
from monitoring.faults.fault import Fault, window_finder
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import Observed

DUPLICATES = "duplicates"

LEAST_DISTINCTIVE = 3
"""A row is compared where it has so many distinctive numbers; people without history all have the same values."""

VARIETY = 0.2
"""A numeric column is distinctive where its distinct values are at least this share of the rows."""

LEAST_REPEATS = 5


def repeated_share(sample: pd.DataFrame, rows: int) -> float | None:
    """Return the share of a window's rows that repeat others, from a sample of its features; None where unknown.

    A sample with a share s of the `rows` contains both of two equal rows in a share s of the cases in which it contains
    one, so the share of repeats in the sample is divided by s.
    """
    numbers = sample.select_dtypes("number")
    distinctive = [str(name) for name in numbers if _is_distinctive(numbers[name])]
    if len(distinctive) < LEAST_DISTINCTIVE or not rows:
        return None
    compared = sample[(_own_values(sample[distinctive])).sum(axis=1) >= LEAST_DISTINCTIVE]
    if compared.empty:
        return None
    repeats = int(compared.duplicated().sum())
    return min(repeats / len(compared) * rows / len(sample), 1.0) if repeats >= LEAST_REPEATS else 0.0


def duplicates(window: Observed, earlier: Sequence[Observed], limits: FaultLimits) -> Iterator[Fault]:
    """Yield a fault where far more rows repeat others than in any window before."""
    now = window.repeated
    if now is None or window.rows < limits.rows:
        return
    before = max((one.repeated or 0.0 for one in earlier), default=0.0)
    apart = errors_apart(now * window.rows, window.rows, before * window.rows, window.rows)
    if now - before < limits.duplicates or odds_ratio(now, before) < limits.odds or apart < limits.errors:
        return
    yield Fault(
        DUPLICATES,
        None,
        f"About {now:.1%} of {window.rows:,} rows repeat another row in every feature, against {before:.1%} before.",
        "The same applications were delivered more than once under new ids, or a join multiplied them.",
        "Remove the repeated rows at their source and score the period again; rows counted twice distort every share.",
    )


def _is_distinctive(values: pd.Series) -> bool:
    present = values.dropna()
    return len(present) >= 2 and present.nunique() >= VARIETY * len(values)


def _own_values(columns: pd.DataFrame) -> pd.DataFrame:
    """Return where a number is present and differs from the most frequent one of its column."""
    modes = {name: columns[name].mode().iloc[0] for name in columns}
    return pd.DataFrame({name: columns[name].notna() & (columns[name] != modes[name]) for name in columns})


FINDER = window_finder(DUPLICATES, duplicates, rank=60)
