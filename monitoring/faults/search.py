"""Searches a window for the faults of all registered finders."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitoring.faults.column import columns_of
from monitoring.faults.fault import Fault, Finder, Finding, Search, Subject
from monitoring.faults.limits import FaultLimits
from monitoring.faults.observed import Observed
from pipelines.command.registry import registered
from pipelines.profiles.reference_profile import ReferenceProfile


def finders() -> list[Finder]:
    """Return the registered finders in the order in which they run."""
    return sorted(registered("monitoring.faults", Finder), key=lambda one: one.rank)


def find_faults(
    reference: ReferenceProfile,
    window: Observed,
    sample: pd.DataFrame,
    earlier: Sequence[Observed] = (),
    *,
    months: Mapping[str, NDArray[np.int64]] | None = None,
    limits: FaultLimits | None = None,
) -> list[Fault]:
    """Return the data faults of a window: those of column families and of columns, then those of rows.

    Args:
        reference: frozen bins and the counts of the reference in them.
        window: the counts of the window in the same bins, and how its rows came in.
        sample: a bounded sample of the window's features. Where it is empty, values are not quoted and a change of
            unit is found from counts alone.
        earlier: windows in any order; those before `window` are used.
        months: for each column the counts of each month of the reference, shape (months, bins), where they are known.
            What happened in one of these months is not a fault.
        limits: thresholds of all finders.
    """
    before = sorted((one for one in earlier if one.period < window.period), key=lambda one: one.period)
    columns = columns_of(reference, months or {}, window, sample, before)
    search = Search(columns, window, before, limits or FaultLimits())
    order = {column.name: index for index, column in enumerate(columns)}
    return [one.fault for one in sorted(_findings(search), key=lambda one: _position(one, order))]


def _findings(search: Search) -> list[Finding]:
    """Return the first finding about each subject of each column, and all findings about rows."""
    findings: list[Finding] = []
    explained: dict[str, Subject] = {}
    for finder in finders():
        for finding in finder.find(search):
            if any(explained.get(name, Subject.ROWS) & finder.subject for name in finding.columns):
                continue
            explained |= {name: explained.get(name, Subject.ROWS) | finder.subject for name in finding.columns}
            findings.append(finding)
    return findings


def _position(finding: Finding, order: Mapping[str, int]) -> tuple[int, int]:
    """Return the sort key of a finding: column families, columns in the order of the reference, rows."""
    if len(finding.columns) > 1:
        return 0, 0
    return (1, order[finding.columns[0]]) if finding.columns else (2, 0)
