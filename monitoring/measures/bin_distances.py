"""Distances beside PSI, from the same counts in frozen bins."""

import numpy as np
from numpy.typing import NDArray

from monitoring.measures.move import Distances
from pipelines.credit.distances import jensen_shannon, kolmogorov_smirnov_bounds, wasserstein_bounds
from pipelines.profiles.reference_profile import FrozenBins

Counts = NDArray[np.int64]


def distances_of(reference: Counts, current: Counts, bins: FrozenBins | None = None) -> Distances | None:
    """Return the distances of two samples counted in the same bins, None where one is empty.

    `bins` are those of a numeric column, whose counts are then as `FrozenBins.count` gives them; without, only the
    Jensen-Shannon distance is told.
    """
    if not reference.sum() or not current.sum():
        return None
    whole = jensen_shannon(reference, current)
    if bins is None or bins.edges is None:
        return Distances(whole)
    before, now = reference[1:], current[1:]  # missing values have no place among numbers
    if not before.sum() or not now.sum():
        return Distances(whole)
    apart = kolmogorov_smirnov_bounds(before, now)
    return Distances(whole, (apart.least, apart.most), _wasserstein(before, now, bins))


def _wasserstein(before: Counts, now: Counts, bins: FrozenBins) -> tuple[float, float] | None:
    beyond = before[0] + before[-1] + now[0] + now[-1]
    if beyond or bins.edges is None:
        return None
    ends = np.array([bins.lowest, *bins.edges, bins.highest])
    found = wasserstein_bounds(ends, before[1:-1], now[1:-1])
    return found.least, found.most
