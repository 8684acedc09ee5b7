"""Factors between units that are often confused."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Conversion:
    """A factor, and the units that it converts between."""

    factor: float
    units: str


KNOWN = (
    Conversion(7, "days and weeks"),
    Conversion(10, "a unit and its tenths"),
    Conversion(12, "months and years"),
    Conversion(24, "hours and days"),
    Conversion(30.4, "days and months"),
    Conversion(52.2, "weeks and years"),
    Conversion(60, "seconds and minutes, or minutes and hours"),
    Conversion(100, "minor and whole units of a currency, or percents and fractions"),
    Conversion(365.25, "days and years"),
    Conversion(1_000, "units and thousands"),
    Conversion(1_440, "minutes and days"),
    Conversion(3_600, "seconds and hours"),
    Conversion(10_000, "units and ten thousands"),
    Conversion(86_400, "seconds and days"),
    Conversion(1_000_000, "units and millions"),
    Conversion(1e9, "units and billions"),
)

SLACK = 1.25
"""Values drift while their unit changes: a ratio within this factor of a known conversion counts as it."""


def factors_about(factor: float, slack: float) -> list[float]:
    """Return the known factors within a factor of `slack` of a ratio of values, as ratios in its direction.

    >>> factors_about(0.011, 1.6)
    [0.016666666666666666, 0.01]
    """
    known = [one.factor if factor > 1 else 1 / one.factor for one in KNOWN]
    return [one for one in known if abs(np.log(one / factor)) <= np.log(slack)]


def conversion_near(factor: float, slack: float = SLACK) -> Conversion | None:
    """Return the known conversion nearest to a ratio of values, in either direction; None where none is close.

    >>> conversion_near(0.0103).units
    'minor and whole units of a currency, or percents and fractions'
    >>> conversion_near(1.3)
    """
    size = abs(np.log(factor))
    nearest = min(KNOWN, key=lambda one: abs(size - np.log(one.factor)))
    return nearest if abs(size - np.log(nearest.factor)) <= np.log(slack) else None
