"""Variation from period to period against Dirichlet months whose variation is known, and against chance alone."""

import numpy as np
import pytest

from pipelines.credit.period_variation import move_from
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
    found = move_from(drawn, drawn[:, 0], np.arange(800))
    assert found.across.between.mean() == pytest.approx(1 / 200, rel=0.05)
    assert found.along.between.mean() == pytest.approx(1 / 200, rel=0.1)


def test_months_that_only_sampling_moves_have_next_to_none() -> None:
    drawn = months(np.random.default_rng(1), cells=400, periods=12, rows=4000, size=None)
    found = move_from(drawn, drawn[:, 0], np.arange(400)).across.between
    assert found.mean() < 0.1 / 4000  # a tenth of what sampling leaves
    assert (found == 0).mean() > 0.4


@pytest.mark.parametrize(("rows", "size"), [(400, None), (400, 99.0), (20_000, 99.0), (100_000, 499.0)])
def test_a_new_month_is_as_rare_as_is_told(rows: int, size: float | None) -> None:
    # given 13 months, the last of them new to the reference
    cells = 4000
    drawn = months(np.random.default_rng(2), cells, 13, rows, size)
    chance = move_from(drawn[:, :12], drawn[:, 12], np.arange(cells) // 9).chance
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
    assert (move_from(drawn[:, :4], drawn[:, 4], np.arange(cells) // 9).chance <= 0.01).mean() < 0.015


def test_a_move_across_the_months_line_is_told_from_one_along_it() -> None:
    # given months that move along one line only, and two new months that lie as far away: along it, and across
    generator, cells = np.random.default_rng(4), 90
    line, other = (SHARE * (shape - SHARE @ shape) for shape in (np.linspace(-1, 1, 7), np.array([1, -1] * 3 + [0.0])))
    other -= line * ((line * other / SHARE).sum() / (line**2 / SHARE).sum())
    line, other = (0.1 * one / np.sqrt((one**2 / SHARE).sum()) for one in (line, other))
    drawn = generator.multinomial(20_000, SHARE + generator.standard_normal((cells, 12, 1)) * line)
    along, across = (generator.multinomial(20_000, SHARE + 2.5 * one, cells) for one in (line, other))
    # then
    found = [move_from(drawn, current, np.arange(cells) // 9) for current in (along, across)]
    assert np.median(found[0].statistic) == pytest.approx(np.median(found[1].statistic), rel=0.3)
    assert np.median(found[0].chance) > 0.02
    assert np.median(found[1].chance) < 1e-9


def test_reach_and_chance_are_each_other_s_inverse() -> None:
    # given a move: the same move as far out as the reach would have the chance that was asked for
    drawn = months(np.random.default_rng(5), 50, 13, 1000, 99.0)
    move = move_from(drawn[:, :12], drawn[:, 12], np.arange(50))
    reach = move.reach(np.full(50, 0.003))
    at_reach = move_from(drawn[:, :12], drawn[:, 12], np.arange(50)).reach(move.chance)
    likely = move.chance < 0.9
    assert at_reach[likely] == pytest.approx(move.statistic[likely], rel=1e-6)
    assert (reach > move.statistic)[move.chance > 0.003].all()


def test_one_period_leaves_sampling_only() -> None:
    drawn = months(np.random.default_rng(6), 50, 1, 1000, 99.0)
    move = move_from(drawn, months(np.random.default_rng(7), 50, 1, 1000, None)[:, 0], np.arange(50))
    assert not move.along.between.any()
    assert not move.across.between.any()
    assert move.along.mean + move.across.mean == pytest.approx(6, rel=0.05)
