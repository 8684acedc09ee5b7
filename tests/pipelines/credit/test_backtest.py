"""Outcomes that contradict PDs: the rate of false calls, the power, and the variance between vintages."""

import numpy as np
import pytest
from scipy.stats import binomtest, kstest

from pipelines.credit.backtest import LevelShift, backtest_level, backtest_ranking, level_shift, variance_between


def test_p_values_of_right_pds_are_about_uniform() -> None:
    generator = np.random.default_rng(0)
    ranking, level = [], []
    for _ in range(400):
        pd = generator.beta(1.2, 9, 600)
        bad = (generator.random(600) < pd).astype(np.int8)
        ranking.append(backtest_ranking(bad, pd, None).p_value)
        level.append(backtest_level(bad, pd, None, between=0.0).p_value)
    assert kstest(ranking, "uniform").pvalue > 0.001
    assert kstest(level, "uniform").pvalue > 0.001
    assert binomtest(sum(one < 0.01 for one in ranking), 400, 0.01, alternative="greater").pvalue > 0.001


def test_a_doubled_level_and_a_lost_ranking_are_seen() -> None:
    generator = np.random.default_rng(1)
    pd = generator.beta(1.2, 9, 3_000)
    doubled = (generator.random(3_000) < 2 * pd / (1 + pd)).astype(np.int8)
    lost = (generator.random(3_000) < pd.mean()).astype(np.int8)
    assert backtest_level(doubled, pd, None, between=0.0).p_value < 1e-6
    assert backtest_level(doubled, pd, None, between=1.0).p_value > 0.1  # where vintages move that much anyway
    assert backtest_ranking(lost, pd, None).p_value < 1e-6
    assert backtest_level(lost, pd, None, between=0.0).p_value > 0.001


def test_the_shift_is_that_of_the_log_odds() -> None:
    generator = np.random.default_rng(2)
    pd = generator.beta(2, 10, 200_000)
    odds = pd / (1 - pd) * np.exp(0.1)
    found = level_shift((generator.random(200_000) < odds / (1 + odds)).astype(np.int8), pd, None)
    assert found.shift == pytest.approx(0.1, abs=4 * np.sqrt(found.variance) + 0.005)


def test_the_variance_between_vintages_is_recovered_and_none_is_none() -> None:
    generator = np.random.default_rng(3)

    def drawn(between: float) -> float:
        shifts = [LevelShift(generator.normal(0, np.sqrt(between + 0.02)), 0.02) for _ in range(400)]
        return variance_between(shifts)

    assert drawn(0.05) == pytest.approx(0.05, rel=0.25)
    assert drawn(0.0) < 0.01
    assert variance_between([]) == variance_between([LevelShift(1.0, 0.1)]) == 0.0
