"""The season's line against eigenvectors of the covariance that is computed without the period."""

import numpy as np

from pipelines.credit.period_variation import moves_of, season_lines


def test_each_period_s_line_is_the_first_eigenvector_of_the_others() -> None:
    # given two segments of one column whose months move along one line
    generator = np.random.default_rng(0)
    share = np.array([0.1, 0.2, 0.3, 0.25, 0.15])
    along = generator.standard_normal((1, 12, 1)) * share * np.array([-0.3, -0.2, 0, 0.1, 0.3])
    counts = generator.multinomial(
        np.array([[9000], [3000]]), share + along - along.sum(axis=-1, keepdims=True) * share
    )
    rows = counts.sum(axis=-1).astype(float)
    # when
    lines, line = season_lines(moves_of(counts), rows, np.array([0, 0]))
    # then
    for period in range(12):
        truth = np.zeros((5, 5))
        for cell in counts:
            pooled = cell.sum(axis=0) / cell.sum()
            others = np.delete(cell, period, axis=0)
            size = others.sum(axis=1, keepdims=True)
            away = (others / size - others.sum(axis=0) / others.sum()) / np.sqrt(pooled)
            truth += (size * away).T @ away
        first = np.linalg.eigh(truth)[1][:, -1]
        assert abs(first @ lines[0, period]) > 1 - 1e-9
        assert (lines[0, period] == lines[1, period]).all()
    assert abs(line[0] @ lines[0, 0]) > 0.99


def test_a_period_has_no_say_in_its_own_line() -> None:
    # given eleven months that move along one line, and one that moves far along another
    share = np.full(4, 0.25)
    months = np.tile(share, (12, 1)) + np.outer(np.linspace(-0.05, 0.05, 12), [1, -1, 0, 0])
    months[5] = [0.25, 0.25, 0.5, 0.0]
    lines, _ = season_lines(moves_of((months * 10_000).round().astype(int)[None]), np.full((1, 12), 1e4), np.array([0]))
    assert abs(lines[0, 5] @ np.array([1, -1, 0, 0]) / np.sqrt(2)) > 0.999
    assert abs(lines[0, 0] @ np.array([0, 0, 1, -1]) / np.sqrt(2)) > 0.9


def test_one_period_has_no_line() -> None:
    lines, line = season_lines(moves_of(np.array([[[5, 5]]])), np.full((1, 1), 10.0), np.array([0]))
    assert not lines.any()
    assert not line.any()
