"""Intervals of differences over folds, against the plain t and against how often they hold."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from pipelines.credit.paired_folds import paired_difference


def test_without_shared_rows_the_interval_is_that_of_the_t_test() -> None:
    # given
    differences = [0.012, -0.004, 0.007, 0.010, 0.001]
    # when
    found, expected = paired_difference(differences, 0.0), ttest_1samp(differences, 0.0)
    # then
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert found.p_value == pytest.approx(expected.pvalue)


def test_the_p_value_and_the_interval_agree() -> None:
    differences = [0.012, -0.004, 0.007, 0.010, 0.001]
    found = paired_difference(differences, 0.25)
    at_the_end = paired_difference([one - found.low for one in differences], 0.25)
    assert at_the_end.p_value == pytest.approx(0.05)


def test_equal_candidates_do_not_differ_and_a_constant_difference_is_certain() -> None:
    equal, constant = paired_difference([0.0] * 5, 0.25), paired_difference([0.25] * 5, 0.25)
    assert (equal.low, equal.value, equal.high, equal.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert (constant.low, constant.high, constant.p_value) == (0.25, 0.25, 0.0)


def test_one_fold_has_no_interval() -> None:
    with pytest.raises(ValueError, match="at least 2 of them, received 1"):
        paired_difference([0.1], 0.25)


def test_overlapping_folds_rarely_find_a_difference_where_there_is_none() -> None:
    """Of two means estimated from halves of the columns, neither is better; the plain t finds one far too often."""
    # given
    generator, rejected = np.random.default_rng(0), {0.0: 0, 0.25: 0}
    for _ in range(400):
        rows = generator.normal(size=(100, 2))
        fold = generator.permutation(np.repeat(np.arange(5), 20))
        errors = [
            np.subtract(*(((rows[fold == one] - rows[fold != one].mean(axis=0)) ** 2).mean(axis=0))) for one in range(5)
        ]
        # when
        for ratio in rejected:
            rejected[ratio] += paired_difference(errors, ratio).p_value < 0.05
    # then
    assert rejected[0.25] <= 0.05 * 400
    assert rejected[0.25] < rejected[0.0]
