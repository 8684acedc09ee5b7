"""Factors between units that columns are known to be delivered in by mistake."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Conversion:
    """A factor, and what it stands between: `larger` holds `factor` of the `smaller`."""

    factor: float
    larger: str
    smaller: str


KNOWN = (
    Conversion(100, "whole units of a currency", "its minor units (cents), or fractions and percents"),
    Conversion(10, "a unit", "tenths of it"),
    Conversion(1_000, "thousands", "units"),
    Conversion(10_000, "ten thousands", "units"),
    Conversion(100_000, "a unit", "hundred-thousandths of it"),
    Conversion(1_000_000, "millions (or seconds)", "units (or microseconds)"),
    Conversion(1e9, "billions (or seconds)", "units (or nanoseconds)"),
    Conversion(7, "weeks", "days"),
    Conversion(12, "years", "months"),
    Conversion(24, "days", "hours"),
    Conversion(30.4, "months", "days"),
    Conversion(52.2, "years", "weeks"),
    Conversion(60, "minutes (or hours)", "seconds (or minutes)"),
    Conversion(365.25, "years", "days"),
    Conversion(1_440, "days", "minutes"),
    Conversion(3_600, "hours", "seconds"),
    Conversion(86_400, "days", "seconds"),
)

SLACK = 1.25
"""Values drift while their unit changes: a ratio so near to a known factor is taken for it."""


def conversion_near(factor: float) -> Conversion | None:
    """Return the known conversion nearest to a ratio of values, in either direction; None where none is near.

    >>> conversion_near(0.0103).factor, conversion_near(1.3)
    (100, None)
    """
    size = abs(np.log(factor))
    nearest = min(KNOWN, key=lambda one: abs(size - np.log(one.factor)))
    return nearest if abs(size - np.log(nearest.factor)) <= np.log(SLACK) else None
