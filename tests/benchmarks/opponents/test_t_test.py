"""The test of paired differences over splits against values worked by hand."""

import math

import pytest
from scipy.stats import ttest_1samp

from tests.benchmarks.opponents.t_test import corrected_t_test


def test_splits_that_share_rows_widen_the_interval() -> None:
    # Mean 0.02, variance 1e-4, error sqrt((1/3 + 1/2) * 1e-4), t = 2.19089. With 2 degrees of freedom the distribution
    # of t is 1/2 + t / (2 sqrt(2 + t^2)) = 0.92008, and its 97.5% point is 4.30265.
    found = corrected_t_test([0.01, 0.02, 0.03], shared=0.5)
    assert found.mean == pytest.approx(0.02)
    assert found.below == pytest.approx(0.92008, abs=1e-5)
    assert found.high - found.mean == pytest.approx(4.30265 * math.sqrt(5 / 6 * 1e-4), rel=1e-5)


def test_tables_that_share_no_row_get_the_paired_t_test() -> None:
    differences = [0.004, -0.001, -0.006, 0.002, -0.009]
    expected = ttest_1samp(differences, 0.0, alternative="less").pvalue
    assert corrected_t_test(differences, shared=0.0).below == pytest.approx(expected)


def test_one_split_proves_nothing() -> None:
    found = corrected_t_test([-0.5], shared=0.4)
    assert (found.mean, found.low, found.high) == (-0.5, -math.inf, math.inf)
    assert math.isnan(found.below)


def test_equal_differences_are_certain() -> None:
    assert corrected_t_test([-0.5, -0.5], shared=0.4).below == 0
    assert corrected_t_test([0.0, 0.0], shared=0.4).below == 0.5
