"""A column in another unit: its values multiplied by one factor, suddenly, in all rows or in some of them."""

from dataclasses import dataclass

import numpy as np

from monitoring.faults.column import Column, is_gradual
from monitoring.faults.fault import Fault, Subject, column_finder
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import MISSING
from monitoring.faults.reference_quantiles import Floats, Side, cumulative_gap, outside

UNIT_CHANGED = "unit changed"

AGREEING = 0.7
"""At least this share of the quantiles is multiplied by the same factor,"""

WITHIN = 1.5
"""or by one that differs by at most this factor."""

BLURRED = 1.6
"""Means over rows in both units blur the factor by up to this factor."""


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


@dataclass(frozen=True)
class Scaled:
    """The factor that values were multiplied by, and their median size in the window; those without zeros."""

    factor: float
    median: float


def unit_changed(column: Column, limits: FaultLimits) -> Fault | None:
    """Return a fault where values were multiplied by a factor that a change of applicants does not explain."""
    side = Side.of(column) if column.is_numeric else None
    if side is None or _is_gradual(column):
        return None
    values = _present(column)
    sizes = side.of_values(values)
    if len(sizes) < limits.rows:
        return _out_of_range(column, limits) if column.sample is None or column.sample.empty else None
    agrees = abs(len(sizes) / len(values) - side.part) <= limits.explained
    scaled = _scaled(side, sizes, limits) if agrees else None
    if scaled is None:
        return _in_some_rows(column, values, limits)
    conversion = conversion_near(scaled.factor)
    if conversion is None and outside(column.current) < limits.moved:
        return None
    return _fault(column, scaled, conversion)


FINDER = column_finder(UNIT_CHANGED, unit_changed, Subject.VALUES, rank=20)


def _scaled(side: Side, sizes: Floats, limits: FaultLimits) -> Scaled | None:
    """Return the factor that values were multiplied by, None where no single one explains how they moved."""
    inner = side.reached < 1
    sizes_of, reached = (side.sizes[inner], side.reached[inner]) if inner.any() else (side.sizes, side.reached)
    ratios = np.quantile(sizes, reached, method="inverted_cdf") / sizes_of
    factor = float(np.exp(np.median(np.log(ratios))))
    agreeing = np.mean(np.abs(np.log(ratios / factor)) <= np.log(WITHIN))
    if abs(np.log(factor)) < np.log(limits.factor) or agreeing < AGREEING:
        return None
    # Quantiles of few values jump from one to the next: the factor is the one that best explains the distribution.
    candidates = [factor, *factors_about(factor, WITHIN)]
    factor = min(candidates, key=lambda one: (round(side.gap(sizes, one), 2), abs(np.log(one / candidates[0]))))
    if side.gap(sizes, 1.0) < limits.moved or side.gap(sizes, factor) > limits.explained:
        return None
    return Scaled(factor, float(np.median(sizes)))


def _is_gradual(column: Column) -> bool:
    gaps = [cumulative_gap(one, column.reference) for one in column.earlier if one[MISSING + 1 :].any()]
    return is_gradual(0.0, gaps, cumulative_gap(column.current, column.reference))


def _present(column: Column) -> Floats:
    if column.sample is None:
        return np.empty(0)
    values = column.sample.to_numpy()
    return np.asarray(values[np.isfinite(values)])


def _out_of_range(column: Column, limits: FaultLimits) -> Fault | None:
    """Return a fault from counts alone: most rows are where the reference has none, by an unknown factor."""
    bins = column.bins
    rows = int(column.current[MISSING + 1 :].sum())
    if bins.lowest == bins.highest or rows < limits.rows or outside(column.current) < limits.moved:
        return None
    return Fault(
        UNIT_CHANGED,
        column.name,
        f"'{column.name}' is outside the range of the reference ({bins.lowest:,g} to {bins.highest:,g}) in "
        f"{outside(column.current):.1%} of the rows; the factor is unknown, because no values of this window were "
        "kept.",
        "Probably another unit (minor units, days instead of months), or another column under this name.",
        _REMEDY.format(name=column.name),
    )


def _in_some_rows(column: Column, values: Floats, limits: FaultLimits) -> Fault | None:
    """Return a fault where more rows than a heavy tail explains are outside the reference's range, and far from it."""
    bins, side = column.bins, Side.of(column)
    if side is None or bins.lowest == bins.highest or int(column.reference.sum()) < limits.least_reference:
        return None
    part = outside(column.current)
    strange = side.of_values(values[(values < bins.lowest) | (values > bins.highest)])
    if part < limits.part or len(strange) < limits.rows / 2:
        return None
    factor = float(np.median(strange) / side.median)
    if abs(np.log(factor)) < np.log(limits.factor) or side.gap(strange, factor) > limits.explained:
        return None  # a tail close to the end of the range is not a second distribution
    conversion = conversion_near(factor, BLURRED)
    near = f", about the factor of {conversion.factor:,g} between {conversion.units}" if conversion else ""
    return Fault(
        UNIT_CHANGED,
        column.name,
        f"'{column.name}' is outside the range of the reference ({bins.lowest:,g} to {bins.highest:,g}) in "
        f"{part:.1%} of {int(column.current[MISSING + 1 :].sum()):,} rows, at about {_times(factor)} the median of the "
        "reference.",
        f"Some sources or days deliver another unit{near}.",
        f"Compare '{column.name}' by source and by day, convert the rows in the other unit and score them again. Do "
        "not retrain: the model would mix two units.",
    )


_REMEDY = (
    "Convert '{name}' back to the unit that the model was fitted in, at the source or in its mapping, and score the "
    "period again. Do not retrain: the model would learn the wrong unit and fail once the source is repaired."
)


def _fault(column: Column, scaled: Scaled, conversion: Conversion | None) -> Fault:
    if conversion is None:
        cause = "No known conversion has this factor: another currency, or another column under this name."
    else:
        cause = f"The factor of {conversion.factor:,g} between {conversion.units}, or another currency."
    return Fault(
        UNIT_CHANGED,
        column.name,
        f"'{column.name}' is about {_times(scaled.factor)} its size in the reference, over its whole range (median "
        f"without zeros {scaled.median:,.6g} against {scaled.median / scaled.factor:,.6g}).",
        cause,
        _REMEDY.format(name=column.name),
    )


def _times(factor: float) -> str:
    return f"{factor:,.3g} times" if factor > 1 else f"1/{1 / factor:,.3g} of"
