"""Gaps that are no fault: a column is empty where another one says that there is nothing to say.

Three sources are used. The reference shows how often a column is missing given another one
(`pipelines.profiles.missing_given`). The catalogue declares which features are empty where a number is 0. And the
sampled rows of the window may have a column empty wherever a count is 0, though the reference has no such row:
people lapsed.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitoring.faults.observed import MISSING, Counts
from pipelines.features.emptiness import empty_without
from pipelines.features.named import features_named
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.missing_given import MOSTLY, Gaps
from pipelines.profiles.reference_profile import ReferenceProfile

LEAST_ROWS = 20
"""A column is empty where another one is 0 when at least so many sampled rows show it, and none contradicts it."""


def explained_gaps(
    reference: ReferenceProfile, window: Mapping[str, Counts], empty_at_zero: Mapping[str, str]
) -> dict[str, list[Gaps]]:
    """Return by column the gaps that other columns of the window explain, one for each of these.

    `window` has counts in the bins of the reference, `empty_at_zero` is that of `columns_empty_at_zero`. What the
    reference does not show is taken from there and from the catalogue: then the column may be missing as often as it
    ever was in the rest of the rows.
    """
    gaps = {
        column: [one.gaps(window[one.other]) for one in others if one.other in window]
        for column, others in reference.missing_given.items()
    }
    by_name = {one.column: one for one in reference.bins}
    for column, other in {**empty_without(features_named(list(by_name))), **empty_at_zero}.items():
        zeros = _zeros(by_name[other], window.get(other)) if other in by_name and column in by_name else 0.0
        if column not in reference.missing_given and zeros:
            before = np.asarray(reference.counts[column])
            gaps[column] = [Gaps(zeros, zeros, float(before[MISSING] / max(int(before.sum()), 1)))]
    return gaps


def columns_empty_at_zero(sample: pd.DataFrame) -> dict[str, str]:
    """Return by column a count such that the column is missing wherever that is 0, and mostly there elsewhere.

    >>> rows = pd.DataFrame({"orders": [0, 0, 3, 1] * 20, "mean_order": [np.nan, np.nan, 9.5, 4.0] * 20})
    >>> columns_empty_at_zero(rows)
    {'mean_order': 'orders'}
    """
    numbers = {str(name): sample[name].to_numpy(np.float64, na_value=np.nan) for name in sample.select_dtypes("number")}
    zeros = {name: values == 0 for name, values in numbers.items() if _is_count(values)}
    gaps = {str(name): sample[name].isna().to_numpy() for name in sample if sample[name].isna().any()}
    return {
        column: name
        for column, gap in gaps.items()
        for name, is_zero in zeros.items()
        if gap[is_zero].all() and gap[~is_zero].mean() < MOSTLY
    }


def _is_count(values: NDArray[np.float64]) -> bool:
    """Whether values are whole, none is missing or below 0, and enough of them are 0 and above it."""
    if not np.isfinite(values).all() or (values < 0).any() or (values != np.trunc(values)).any():
        return False
    zeros = int((values == 0).sum())
    return LEAST_ROWS <= zeros <= len(values) - LEAST_ROWS


def _zeros(bins: FrozenBins, counts: Counts | None) -> float:
    """Return the share of rows that are 0, where a bin has these and no others."""
    if counts is None or bins.edges is None:
        return 0.0
    at_lowest = bins.lowest == 0 and bool(bins.edges) and bins.edges[0] == 0
    place = 2 if at_lowest else 1 if bins.lowest > 0 else None
    return 0.0 if place is None else float(counts[place] / max(int(counts.sum()), 1))
