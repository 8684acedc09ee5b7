"""A column delivered in another unit: most of its distribution multiplied by one factor, all at once."""

from dataclasses import dataclass

import numpy as np

from monitoring.faults.column import MISSING, Column, is_gradual
from monitoring.faults.conversions import Conversion, conversion_near, factors_about
from monitoring.faults.fault import Fault, FaultKind
from monitoring.faults.limits import FaultLimits
from monitoring.faults.part_unit import unit_changed_in_part
from monitoring.faults.reference_quantiles import Floats, Side, cumulative_gap, outside

AGREEING = 0.7
"""So many of the quantiles must have been multiplied by the same factor,"""

WITHIN = 1.5
"""or by one that differs at most so much."""


@dataclass(frozen=True)
class Scaled:
    """The factor that values were multiplied by, and their median size in the window; those without zeros."""

    factor: float
    median: float


def unit_changed(column: Column, limits: FaultLimits) -> Fault | None:
    """Return a fault where values were multiplied by a factor that people do not change by."""
    side = Side.of(column) if column.is_numeric else None
    if side is None or _is_gradual(column):
        return None
    values = _present(column)
    sizes = side.of_values(values)
    if len(sizes) < limits.rows:
        return _out_of_range(column, limits) if column.sample is None or column.sample.empty else None
    agrees = abs(len(sizes) / len(values) - side.part) <= limits.explained
    found = _scaled(side, sizes, limits) if agrees else None
    if found is None:
        return unit_changed_in_part(column, values, limits)
    conversion = conversion_near(found.factor)
    if conversion is None and outside(column.current) < limits.moved:
        return None
    return _fault(column, found, conversion)


def _scaled(side: Side, sizes: Floats, limits: FaultLimits) -> Scaled | None:
    """Return by which factor the values were multiplied, None where no single one explains how they moved."""
    inner = side.reached < 1
    sizes_of, reached = (side.sizes[inner], side.reached[inner]) if inner.any() else (side.sizes, side.reached)
    ratios = np.quantile(sizes, reached, method="inverted_cdf") / sizes_of
    factor = float(np.exp(np.median(np.log(ratios))))
    agreeing = np.mean(np.abs(np.log(ratios / factor)) <= np.log(WITHIN))
    if abs(np.log(factor)) < np.log(limits.factor) or agreeing < AGREEING:
        return None
    # Quantiles of few values jump from one to the next: what explains all of the distribution best is the factor.
    known = [factor, *factors_about(factor, WITHIN)]
    factor = min(known, key=lambda one: (round(side.gap(sizes, one), 2), abs(np.log(one / known[0]))))
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
    """Return a fault from counts alone: most rows lie where the reference had none, by an unknown factor."""
    bins = column.bins
    rows = int(column.current[MISSING + 1 :].sum())
    if bins.lowest == bins.highest or rows < limits.rows or outside(column.current) < limits.moved:
        return None
    return Fault(
        FaultKind.UNIT_CHANGED,
        column.name,
        f"'{column.name}' lies outside all that the reference held ({bins.lowest:,g} to {bins.highest:,g}) in "
        f"{outside(column.current):.1%} of the rows; how far is not known, no values of this window were kept.",
        "Most likely another unit (minor units, days for months), or another column under this name.",
        _REMEDY.format(name=column.name),
    )


_REMEDY = (
    "Convert '{name}' back to the unit that the model was fitted in, at the source or in its mapping, and score the "
    "period again; a retraining would learn the wrong unit and fail when the source is repaired."
)


def _fault(column: Column, found: Scaled, conversion: Conversion | None) -> Fault:
    up = found.factor > 1
    by = f"{found.factor:,.3g} times" if up else f"1/{1 / found.factor:,.3g} of"
    if conversion is None:
        cause = "No known conversion has this factor: another currency, or another column under this name."
    else:
        cause = f"The factor of {conversion.factor:,g} between {conversion.units}, or another currency."
    return Fault(
        FaultKind.UNIT_CHANGED,
        column.name,
        f"'{column.name}' is about {by} what it was in the reference, over all its range (median without zeros "
        f"{found.median:,.6g} against {found.median / found.factor:,.6g}).",
        cause,
        _REMEDY.format(name=column.name),
    )
