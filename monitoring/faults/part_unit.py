"""Another unit in a part of the rows: values that lie where the reference held none, many times away from it."""

import numpy as np

from monitoring.faults.column import MISSING, Column
from monitoring.faults.conversions import conversion_near
from monitoring.faults.fault import Fault, FaultKind
from monitoring.faults.limits import FaultLimits
from monitoring.faults.reference_quantiles import Floats, Side, outside

BLURRED = 1.6
"""Means over rows in both units blur the factor so much."""


def unit_changed_in_part(column: Column, values: Floats, limits: FaultLimits) -> Fault | None:
    """Return a fault where more rows than people's tails make lie outside the reference's range, and far from it."""
    bins, side = column.bins, Side.of(column)
    if side is None or bins.lowest == bins.highest or int(column.reference.sum()) < limits.least_reference:
        return None
    part = outside(column.current)
    strange = side.of_values(values[(values < bins.lowest) | (values > bins.highest)])
    if part < limits.part or len(strange) < limits.rows / 2:
        return None
    factor = float(np.median(strange) / side.median)
    if abs(np.log(factor)) < np.log(limits.factor) or side.gap(strange, factor) > limits.explained:
        return None  # what lies beyond the range like a tail, close to its end, is no second distribution
    conversion = conversion_near(factor, BLURRED)
    near = f", about the factor of {conversion.factor:,g} between {conversion.units}" if conversion else ""
    by = f"{factor:,.3g} times" if factor > 1 else f"1/{1 / factor:,.3g} of"
    return Fault(
        FaultKind.UNIT_CHANGED,
        column.name,
        f"'{column.name}' lies outside all that the reference held ({bins.lowest:,g} to {bins.highest:,g}) in "
        f"{part:.1%} of {int(column.current[MISSING + 1 :].sum()):,} rows, at about {by} its median.",
        f"Some of the sources or days came in another unit{near}.",
        f"Compare '{column.name}' by source and day, convert the rows that stand apart, and score them again; a "
        "retraining would mix two units.",
    )
