"""Distances of binned samples against scipy on the samples themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ecdf, wasserstein_distance

from pipelines.credit.distances import (
    jensen_shannon,
    kolmogorov_smirnov,
    kolmogorov_smirnov_bounds,
    wasserstein,
    wasserstein_bounds,
)

samples = st.lists(st.integers(300, 330), min_size=1, max_size=60).map(np.array)
ROUNDING = 1e-9


def farthest(first: np.ndarray, second: np.ndarray) -> float:
    values = np.union1d(first, second)
    return float(np.abs(ecdf(first).cdf.evaluate(values) - ecdf(second).cdf.evaluate(values)).max())


def counted(sample: np.ndarray) -> np.ndarray:
    return np.bincount(sample - 300, minlength=31)


@given(samples, samples)
def test_an_integer_score_tells_the_distances_exactly(first: np.ndarray, second: np.ndarray) -> None:
    values, counts = np.arange(300.0, 331.0), (counted(first), counted(second))
    assert kolmogorov_smirnov(*counts) == pytest.approx(farthest(first, second), abs=ROUNDING)
    assert wasserstein(values, *counts) == pytest.approx(wasserstein_distance(first, second), abs=ROUNDING)


@given(samples, samples)
def test_jensen_shannon_is_that_of_the_shares(first: np.ndarray, second: np.ndarray) -> None:
    p, q = (counted(sample) / len(sample) for sample in (first, second))
    found = jensen_shannon(counted(first), counted(second))
    assert found**2 == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=ROUNDING)


@given(samples, samples, st.sets(st.integers(301, 329), max_size=5))
def test_the_truth_lies_within_the_bounds_of_any_bins(first: np.ndarray, second: np.ndarray, cuts: set[int]) -> None:
    # given bins closed on the right at the cuts
    edges = np.array(sorted(cuts))
    counts = [np.bincount(np.searchsorted(edges, one, side="left"), minlength=len(cuts) + 1) for one in (first, second)]
    # when
    ks = kolmogorov_smirnov_bounds(*counts)
    area = wasserstein_bounds(np.array([300.0, *edges, 330.0]), *counts)
    # then
    assert ks.least - ROUNDING <= farthest(first, second) <= ks.most + ROUNDING
    assert area.least - ROUNDING <= wasserstein_distance(first, second) <= area.most + ROUNDING


def test_bounds_are_reached_by_samples_at_the_ends_of_a_bin() -> None:
    # given one bin from 0 to 10 with all values of both
    one, ends = np.array([4]), np.array([0.0, 10.0])
    # then nothing moved, or all went from one end to the other
    bounds = wasserstein_bounds(ends, one, one)
    assert (bounds.least, bounds.most) == (0, 10)
    assert (kolmogorov_smirnov_bounds(one, one).least, kolmogorov_smirnov_bounds(one, one).most) == (0, 1)


def test_bins_that_hold_one_sample_each_tell_the_least_way() -> None:
    # all below 1 became all above 3: moved by 2 at least and 4 at most
    found = wasserstein_bounds(np.array([0.0, 1.0, 3.0, 4.0]), np.array([5, 0, 0]), np.array([0, 0, 2]))
    assert (found.least, found.most) == (2, 4)
