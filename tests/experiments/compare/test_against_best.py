"""Differences to the best on the same folds, against hand-worked figures and against how often they are right."""

from math import sqrt

import numpy as np
import pytest

from experiments.compare.against_best import behind_best

FOLDS, ROWS = 5, 100


def test_the_interval_is_the_hand_worked_one() -> None:
    """k = 5 folds, mean difference .012, variance 4.5e-5, factor 1/5 + 1/4, t(4) = 2.7764."""
    best, other = [0.80, 0.78, 0.79, 0.81, 0.77], [0.78, 0.775, 0.775, 0.805, 0.755]
    found = behind_best({"best": best, "other": other}, "best", 0.25)["other"]
    reach = 2.7764451 * sqrt(0.45 * 4.5e-5)
    assert (found.low, found.value, found.high) == pytest.approx((0.012 - reach, 0.012, 0.012 + reach))
    assert found.is_real is False


def test_a_difference_that_is_real_alone_may_not_be_among_many() -> None:
    best = [0.80, 0.78, 0.79, 0.81, 0.77]
    other = [one - gap for one, gap in zip(best, (0.030, 0.024, 0.027, 0.021, 0.033), strict=True)]
    others = {f"{number}": [one - number / 1e4 for one in other] for number in range(1, 40)}
    alone = behind_best({"best": best, "other": other}, "best", 0.25)["other"]
    among = behind_best({"best": best, "other": other} | others, "best", 0.25)["other"]
    assert (alone.is_real, among.is_real) == (True, False)
    assert (alone.low, alone.high, alone.p_value) == (among.low, among.high, among.p_value)


def test_a_configuration_that_was_tried_twice_counts_once() -> None:
    best, other = [0.80, 0.78, 0.79, 0.81, 0.77], [0.77, 0.756, 0.763, 0.789, 0.737]
    repeated = {"best": best, "again": best} | {f"{number}": other for number in range(20)}
    found = behind_best(repeated, "best", 0.25)
    assert found["again"].value == 0.0
    assert not found["again"].is_real
    assert found["0"].is_real == behind_best({"best": best, "0": other}, "best", 0.25)["0"].is_real is True


def cross_validated(generator: np.random.Generator, deviations: "list[float]") -> dict[int, list[float]]:
    """Return the scores by fold of estimates of the mean of columns: minus the squared error of held-out rows."""
    rows = generator.normal(size=(ROWS, len(deviations))) * deviations
    fold = np.arange(ROWS) % FOLDS
    scores = [-((rows[fold == one] - rows[fold != one].mean(axis=0)) ** 2).mean(axis=0) for one in range(FOLDS)]
    return {number: [float(one[number]) for one in scores] for number in range(len(deviations))}


def test_the_interval_covers_the_difference_in_what_new_rows_would_score() -> None:
    """A mean of n rows of deviation s has the expected squared error s^2 (1 + 1/n) on a new one."""
    generator, covered, repeats = np.random.default_rng(0), 0, 1000
    truth = (1.2**2 - 1.0**2) * (1 + 1 / (ROWS * (1 - 1 / FOLDS)))
    for _ in range(repeats):
        found = behind_best(cross_validated(generator, [1.0, 1.2]), 0, 1 / (FOLDS - 1))[1]
        covered += found.low <= truth <= found.high
    assert covered >= 0.94 * repeats  # 95%, and less by chance once in twenty


def test_equals_of_which_the_best_is_chosen_rarely_have_a_real_difference() -> None:
    generator, starred, repeats = np.random.default_rng(1), 0, 300
    for _ in range(repeats):
        scores = cross_validated(generator, [1.0] * 6)
        best = max(scores, key=lambda name: sum(scores[name]))
        starred += any(one.is_real for one in behind_best(scores, best, 1 / (FOLDS - 1)).values())
    assert starred <= 0.07 * repeats
