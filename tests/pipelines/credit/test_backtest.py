"""The level and the ranking of a vintage against its PDs: false calls, power, and the variance between vintages."""

import numpy as np
import pytest
from scipy.stats import kstest, norm

from pipelines.credit.backtest import (
    LevelShift,
    backtest_level,
    level_of,
    level_shift,
    ranking_of,
    rate_at,
    variance_between,
)
from pipelines.credit.tally import Tally, tally


def drawn(generator: np.random.Generator, rows: int, factor: float = 1.0) -> Tally:
    pd = generator.beta(1.2, 9, rows)
    odds = factor * pd / (1 - pd)
    return tally((generator.random(rows) < odds / (1 + odds)).astype(np.int8), pd)


def test_p_values_of_right_pds_are_about_uniform() -> None:
    generator = np.random.default_rng(0)
    ranking, level = [], []
    for _ in range(400):
        counts = drawn(generator, 600)
        result, deviation = ranking_of(counts, None, 0.0)
        ranking.append(float(norm.cdf((result.observed - result.expected) / deviation)))
        level.append(backtest_level(counts, between=0.0).p_value)
    assert kstest(ranking, "uniform").pvalue > 0.001
    assert kstest(level, "uniform").pvalue > 0.001


def test_a_doubled_level_is_seen_unless_vintages_move_that_much() -> None:
    doubled = drawn(np.random.default_rng(1), 3_000, 2.0)
    assert backtest_level(doubled, between=0.0).p_value < 1e-6
    assert backtest_level(doubled, between=1.0).p_value > 0.1


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_shift_is_that_of_the_log_odds(factor: float) -> None:
    counts = drawn(np.random.default_rng(2), 100_000, factor)
    shift, variance = level_of(counts, None)
    assert shift == pytest.approx(np.log(factor), abs=4 * np.sqrt(variance))
    assert rate_at(counts, None, shift) == pytest.approx(counts.bad.sum() / counts.rows.sum(), rel=1e-3)
    if factor == 1.0:
        assert level_shift(counts).shift == pytest.approx(shift, abs=1e-3)


def test_the_deviation_of_the_shift_is_that_of_redraws_and_few_loans_leave_it_unbiased() -> None:
    generator = np.random.default_rng(3)
    found = np.array([level_of(drawn(generator, 400), None) for _ in range(500)])
    assert found[:, 0].mean() == pytest.approx(0.0, abs=0.03)
    assert found[:, 0].var() == pytest.approx(found[:, 1].mean(), rel=0.25)


@pytest.mark.parametrize("bad", [0, 1])
def test_a_level_of_one_class_is_finite(bad: int) -> None:
    shift, variance = level_of(tally(np.full(50, bad, np.int8), np.linspace(0.05, 0.3, 50)), None)
    assert np.sign(shift) == 2 * bad - 1
    assert np.isfinite(shift)
    assert variance > 0.1


def test_the_variance_between_vintages_is_recovered_and_none_is_none() -> None:
    generator = np.random.default_rng(3)

    def of(between: float) -> float:
        shifts = [LevelShift(generator.normal(0, np.sqrt(between + 0.02)), 0.02) for _ in range(400)]
        return variance_between(shifts)

    assert of(0.05) == pytest.approx(0.05, rel=0.25)
    assert of(0.0) < 0.01
    assert variance_between([]) == variance_between([LevelShift(1.0, 0.1)]) == 0.0
