"""Levels with memory: the filters against the joint normal distribution, the error budget, and what a jump does."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import binomtest, kstest, multivariate_normal

from pipelines.credit.local_level import FIRST, GRID, YEAR, Jump, Observation, follow, forecast

LEVEL = Jump(0.5)
PRIOR = np.exp(-0.5 * (GRID[:, [0, 2]] ** 2).sum(axis=1) / LEVEL.usual**2)


def observations(levels: Sequence[float], deviation: float, scored_by: str = "1") -> list[Observation]:
    return [Observation(month, float(level), deviation**2, scored_by) for month, level in enumerate(levels)]


def drawn(generator: np.random.Generator, vintages: int, deviation: float) -> list[Observation]:
    """Draw levels from the prior."""
    chosen = GRID[generator.choice(len(GRID), p=PRIOR / PRIOR.sum())]
    return observations(generator.multivariate_normal(np.zeros(vintages), covariance(vintages, *chosen, deviation)),
                        deviation)  # fmt: skip


def covariance(vintages: int, innovation: float, spread: float, own: float, memory: float, error: float) -> np.ndarray:
    """Return the covariance of observed levels, which are means of the levels of `spread` months."""
    months = np.arange(vintages + 7)
    walk = np.minimum.outer(months, months) if memory == 1 else (
        memory ** np.abs(np.subtract.outer(months, months)) / (1 - memory**2))  # fmt: skip
    levels = (FIRST * LEVEL.size) ** 2 + (innovation * LEVEL.size) ** 2 * walk
    means = np.array([np.isin(months, place + 7 - np.arange(int(spread))) / spread for place in range(vintages)])
    return means @ levels @ means.T + np.eye(vintages) * ((own * LEVEL.size) ** 2 + error**2)


def test_the_evidence_is_the_ratio_of_joint_normal_densities() -> None:
    deviation, levels = 0.08, np.array([0.1, 0.0, 0.05, -0.1, 0.0, 0.6, 0.5])
    rows = len(levels)
    without, jumped = [], []
    for innovation, spread, own, memory in GRID:
        shared = covariance(rows, innovation, spread, own, memory, deviation)
        without.append(multivariate_normal(np.zeros(rows), shared).logpdf(levels))
        parts = [np.clip((np.arange(rows) - since + 1) / spread, 0, 1) for since in range(4, rows)]
        jumped.append(
            [multivariate_normal(np.zeros(rows), shared + LEVEL.size**2 * np.outer(one, one)).logpdf(levels)
             for one in parts]
        )  # fmt: skip
    prior = np.log(PRIOR)
    expected = np.exp(logsumexp(prior[:, None] + np.array(jumped)) - logsumexp(prior + np.array(without))) / YEAR
    found = follow(observations(levels, deviation), LEVEL, least=4, offset=0.5)[-1]
    assert found.e_value == pytest.approx(expected, rel=1e-6)
    assert found.since == 5


def test_what_is_judged_of_a_vintage_does_not_depend_on_later_ones() -> None:
    some = drawn(np.random.default_rng(0), 20, 0.1)
    assert follow(some, LEVEL, least=12, offset=0.5)[:15] == follow(some[:15], LEVEL, least=12, offset=0.5)
    assert follow([], LEVEL, least=12, offset=0.5) == []


def test_levels_of_the_prior_have_uniform_p_values_and_keep_the_budget() -> None:
    generator, rounds, error = np.random.default_rng(1), 80, 0.1
    judged = [follow(drawn(generator, 24, 0.1), LEVEL, least=12, offset=0.5) for _ in range(rounds)]
    assert kstest([one[-1].below for one in judged], "uniform").pvalue > 0.001
    assert kstest([one[2].two_sided for one in judged], "uniform").pvalue > 0.001
    alarms = sum(max(vintage.e_value for vintage in one[12:]) >= 1 / error for one in judged)
    assert binomtest(alarms, rounds, error, alternative="greater").pvalue > 0.01
    assert np.mean([one[-1].e_value for one in judged]) <= 1.5


@pytest.mark.parametrize("size", [0.8, -0.8])
def test_a_jump_is_found_with_its_size_and_month(size: float) -> None:
    levels = np.random.default_rng(2).normal(0, 0.05, 24)
    levels[20:] += size
    either = follow(observations(levels, 0.05), LEVEL, least=12, offset=0.5)
    assert max(one.e_value for one in either[:20]) < 5
    assert either[-1].e_value > 1000
    assert either[-1].since == 20
    assert either[-1].jump == pytest.approx(size, abs=0.15)
    upwards = follow(observations(levels, 0.05), Jump(0.5, sign=1), least=12, offset=0.5)[-1]
    assert (upwards.e_value > 1000) is (size > 0)


def test_levels_that_wander_need_a_larger_jump() -> None:
    generator = np.random.default_rng(3)
    steps = generator.normal(0, 0.2, 24)
    calm, restless = (
        np.r_[(scale * steps).cumsum()[:20], (scale * steps).cumsum()[19] + 0.6 + np.zeros(4)] for scale in (0.1, 1.0)
    )
    evidence = [follow(observations(one, 0.05), LEVEL, least=12, offset=0.5)[-1].e_value for one in (calm, restless)]
    assert evidence[0] > 100 > 10 > evidence[1]


def test_another_version_may_have_another_level() -> None:
    levels = np.random.default_rng(4).normal(0, 0.05, 22)
    levels[18:] += 0.5
    same = observations(levels, 0.05)
    other = [*same[:18], *observations(levels, 0.05, "2")[18:]]
    alarm, quiet = (follow(one, LEVEL, least=12, offset=0.5) for one in (same, other))
    assert alarm[-1].e_value > 100
    assert quiet[-1].e_value < 10
    assert quiet[18].two_sided > 0.05
    assert quiet[-1].expected == pytest.approx(0.5, abs=0.1)


def test_a_month_without_vintages_widens_what_is_expected() -> None:
    some = drawn(np.random.default_rng(5), 20, 0.05)
    gap = [*some[:19], Observation(30, some[19].level, some[19].variance, "1")]
    near, far = (follow(one, LEVEL, least=12, offset=0.5)[-1] for one in (some, gap))
    assert far.deviation > near.deviation


def test_a_forecast_is_wider_the_further_ahead_and_holds_what_comes() -> None:
    generator, inside = np.random.default_rng(6), 0
    for _ in range(60):
        some = drawn(generator, 30, 0.05)
        near, far = (forecast(some[:18], LEVEL, month, offset=0.5) for month in (18, 29))
        assert far[1] >= near[1]
        inside += abs(some[29].level - far[0]) < 1.96 * np.sqrt(far[1] + some[29].variance)
    assert binomtest(inside, 60, 0.95).pvalue > 0.01
