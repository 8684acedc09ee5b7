"""All faults of a window, the columns in the order of the reference and then what is about all rows."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitoring.faults.column import Column, columns_of
from monitoring.faults.constant import column_constant
from monitoring.faults.fault import Fault
from monitoring.faults.limits import FaultLimits
from monitoring.faults.missing import column_gone, missing_risen
from monitoring.faults.observed import Observed
from monitoring.faults.quarantined import quarantine_risen
from monitoring.faults.renamed import level_renamed
from monitoring.faults.repeats import duplicates
from monitoring.faults.share_families import categories_lost, families_of
from monitoring.faults.stale import stale_data
from monitoring.faults.unit import unit_changed
from monitoring.faults.volume import volume_fallen
from pipelines.profiles.reference_profile import ReferenceProfile


def find_faults(
    reference: ReferenceProfile,
    window: Observed,
    sample: pd.DataFrame,
    earlier: Sequence[Observed] = (),
    *,
    months: Mapping[str, NDArray[np.int64]] | None = None,
    limits: FaultLimits | None = None,
) -> list[Fault]:
    """Return what is wrong with the data of a window, as opposed to people who changed; nothing when all is well.

    Args:
        reference: frozen bins and the counts of the reference in them.
        window: the window's counts in the same bins, and how its rows came in.
        sample: a bounded sample of the window's features; may be empty, then values are not named and units are told
            by counts alone.
        earlier: the windows before, in any order; may be none.
        months: for each column the counts of each month of the reference, shape (months, bins), where they are known:
            what one of them did is no fault.
        limits: from where on something is a fault.
    """
    limits = limits or FaultLimits()
    before = sorted((one for one in earlier if one.period < window.period), key=lambda one: one.period)
    found = _of_columns(columns_of(reference, months or {}, window, sample, before), limits)
    rows = [duplicates(window, before, limits), volume_fallen(window, before, limits)]
    rows += [stale_data(window, before, limits), *_of_intake(window, before, limits)]
    return [fault for fault in (*found, *rows) if fault is not None]


def _of_columns(columns: Sequence[Column], limits: FaultLimits) -> list[Fault | None]:
    """Return the faults of families of shares, and of the columns that these do not explain."""
    found: list[Fault | None] = []
    explained: set[str] = set()
    for family in families_of(columns):
        fault = categories_lost(family, limits)
        if fault is not None:
            found.append(fault)
            explained |= {*family.names}
    return [*found, *(fault for one in columns if one.name not in explained for fault in _of_column(one, limits))]


def _of_column(column: Column, limits: FaultLimits) -> list[Fault | None]:
    """Return what is wrong with the values of a column, the first of it, and with those that it lacks."""
    gone = column_gone(column)
    if gone is not None or column.current.sum() < limits.rows:
        return [gone]
    values = unit_changed(column, limits) or level_renamed(column, limits) or column_constant(column, limits)
    return [values, missing_risen(column, limits)]


def _of_intake(window: Observed, earlier: Sequence[Observed], limits: FaultLimits) -> list[Fault]:
    if window.intake is None:
        return []
    return quarantine_risen(window.intake, [one.intake for one in earlier if one.intake is not None], limits)
