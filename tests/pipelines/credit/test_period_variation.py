"""Variation from period to period against Dirichlet months whose variation is known, and against chance alone."""

import numpy as np
import pytest

from pipelines.credit.period_variation import noise_of
from pipelines.credit.psi_noise import deviance

SHARE = np.array([0.05, 0.1, 0.15, 0.2, 0.3, 0.1, 0.1])


def months(generator: np.random.Generator, cells: int, periods: int, rows: int, size: float | None) -> np.ndarray:
    share = np.broadcast_to(SHARE, (cells, periods, len(SHARE)))
    if size is not None:
        drawn = generator.gamma(share * size)
        share = drawn / drawn.sum(axis=-1, keepdims=True)
    return generator.multinomial(rows, share)


def test_the_variation_of_dirichlet_months_is_found() -> None:
    # given months whose shares have variance p (1 - p) / (a + 1)
    drawn = months(np.random.default_rng(0), cells=800, periods=12, rows=4000, size=199)
    found = noise_of(drawn, drawn[:, 0], np.arange(800)).between
    assert found.mean() == pytest.approx(1 / 200, rel=0.03)


def test_months_that_only_sampling_moves_have_next_to_none() -> None:
    drawn = months(np.random.default_rng(1), cells=400, periods=12, rows=4000, size=None)
    found = noise_of(drawn, drawn[:, 0], np.arange(400)).between
    assert found.mean() < 0.1 / 4000  # a tenth of what sampling leaves
    assert (found == 0).mean() > 0.4


@pytest.mark.parametrize(("rows", "size"), [(400, None), (400, 99.0), (20_000, 99.0), (100_000, 499.0)])
def test_a_new_month_is_as_rare_as_is_told(rows: int, size: float | None) -> None:
    # given 13 months, the last of them new to the reference
    cells = 4000
    drawn = months(np.random.default_rng(2), cells, 13, rows, size)
    noise = noise_of(drawn[:, :12], drawn[:, 12], np.arange(cells) // 9)
    chance = noise.chance(deviance(drawn[:, 12], drawn[:, :12].sum(axis=1)))
    # then
    for level in (0.05, 0.01, 0.001):
        assert (chance <= level).mean() <= level + 3 * np.sqrt(level / cells)
    assert (chance <= 0.05).mean() > 0.01  # and not so wide that nothing could be found


def test_a_pool_that_holds_the_month_itself_would_ring_too_often() -> None:
    # given few months: each is 1/4 of the pool it would be compared with
    cells = 3000
    drawn = months(np.random.default_rng(3), cells, 5, 20_000, 99.0)
    inside = deviance(drawn[:, 0], drawn[:, :4].sum(axis=1))
    outside = deviance(drawn[:, 4], drawn[:, :4].sum(axis=1))
    naive = np.quantile(inside, 0.99)
    assert (outside > naive).mean() > 0.05
    noise = noise_of(drawn[:, :4], drawn[:, 4], np.arange(cells) // 9)
    assert (noise.chance(outside) <= 0.01).mean() < 0.015


def test_months_along_one_line_reach_further_than_months_in_all_directions() -> None:
    # given as much variation, in one direction or in all
    generator, cells = np.random.default_rng(4), 300
    line = SHARE * np.linspace(-1, 1, len(SHARE))
    line -= SHARE * line.sum()
    line *= np.sqrt(6 / 500) / np.sqrt((line**2 / SHARE).sum())
    one = generator.multinomial(50_000, SHARE + generator.standard_normal((cells, 12, 1)) * line)
    every = months(generator, cells, 12, 50_000, 499.0)
    column = np.arange(cells) // 9
    narrow, wide = (noise_of(drawn, drawn[:, 0], column) for drawn in (one, every))
    assert narrow.between.mean() == pytest.approx(wide.between.mean(), rel=0.1)
    assert np.median(narrow.reach(1e-4)) > 2 * np.median(wide.reach(1e-4))
    assert np.median(narrow.upper) < 1.5
    assert np.median(wide.upper) > 4


def test_reach_and_chance_are_each_other_s_inverse() -> None:
    drawn = months(np.random.default_rng(5), 50, 12, 1000, 99.0)
    noise = noise_of(drawn, drawn[:, 0], np.arange(50))
    assert noise.chance(noise.reach(0.003)) == pytest.approx(0.003)


def test_one_period_leaves_sampling_only() -> None:
    drawn = months(np.random.default_rng(6), 50, 1, 1000, 99.0)
    noise = noise_of(drawn, drawn[:, 0], np.arange(50))
    assert not noise.between.any()
    assert noise.upper == pytest.approx(6, rel=0.05)
