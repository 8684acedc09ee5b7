"""Distances from bins hold those of the values that were counted."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

from monitoring.measures.bin_distances import distances_of
from pipelines.profiles.reference_profile import FrozenBins

GENERATOR = np.random.default_rng(0)
BEFORE = GENERATOR.normal(size=4000)


@pytest.mark.parametrize("shift", [0.0, 0.2, 1.0])
def test_bounds_hold_the_distances_of_the_values(shift: float) -> None:
    now = np.clip(GENERATOR.normal(shift, 1.0, size=3000), BEFORE.min(), BEFORE.max())
    bins = FrozenBins.of_numbers("x", BEFORE)
    before, after = bins.count(BEFORE), bins.count(now)
    found = distances_of(before, after, bins)
    assert found is not None
    assert found.kolmogorov_smirnov is not None
    assert found.wasserstein is not None
    least, most = found.kolmogorov_smirnov
    assert least <= ks_2samp(BEFORE, now).statistic <= most
    least, most = found.wasserstein
    assert least <= wasserstein_distance(BEFORE, now) <= most
    assert found.jensen_shannon == pytest.approx(jensenshannon(before, after, base=2), abs=1e-12)


def test_how_far_beyond_the_range_nobody_tells_and_missing_values_are_no_numbers() -> None:
    bins = FrozenBins.of_numbers("x", BEFORE)
    beyond = distances_of(bins.count(BEFORE), bins.count(np.append(BEFORE, 1e9)), bins)
    assert beyond is not None
    assert beyond.wasserstein is None
    assert beyond.kolmogorov_smirnov is not None
    gone = distances_of(bins.count(BEFORE), bins.count(np.full(10, np.nan)), bins)
    assert gone is not None
    assert (gone.jensen_shannon, gone.kolmogorov_smirnov) == (1.0, None)
    assert distances_of(bins.count(BEFORE), bins.count(BEFORE[:0]), bins) is None
