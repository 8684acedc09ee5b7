"""Blends are picked within the cost, and their gain is measured on folds that had no part in it."""

from math import inf

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.search.combine import Member, blend_value, gain, pick

FOLDS, ROWS = 5, 1500

Floats = NDArray[np.float64]


def market(seed: int) -> tuple[list[Floats], list[NDArray[np.int8]], np.random.Generator]:
    """Return true log-odds and outcomes by fold."""
    random = np.random.default_rng(seed)
    truth = [random.normal(size=ROWS) for _ in range(FOLDS)]
    return truth, [(random.random(ROWS) < 1 / (1 + np.exp(1.5 - one))).astype(np.int8) for one in truth], random


def noisy(random: np.random.Generator, truth: list[Floats], number: int, noise: float, cost: float = 1.0) -> Member:
    return Member(number, [one + random.normal(size=ROWS, scale=noise) for one in truth], cost)


@pytest.mark.parametrize("seed", range(4))
def test_independent_errors_average_out(seed: int) -> None:
    truth, bad, random = market(seed)
    members = [noisy(random, truth, number, noise=1.0) for number in range(3)]
    weights = pick(members, bad)
    assert sum(weights.values()) == pytest.approx(1)
    assert len(weights) == 3
    assert max(weights.values()) < 0.5
    assert blend_value(members, weights, bad) > max(blend_value(members, {one.number: 1.0}, bad) for one in members)
    assert gain(members, bad, FOLDS).is_real


@pytest.mark.parametrize("seed", range(4))
def test_copies_and_noise_gain_nothing(seed: int) -> None:
    truth, bad, random = market(seed)
    best = noisy(random, truth, 0, noise=0.5)
    copies = [Member(number, best.log_odds, 1.0) for number in (1, 2)]
    worthless = [Member(number, [random.normal(size=ROWS) for _ in range(FOLDS)], 1.0) for number in (3, 4)]
    measured = gain([best, *copies, *worthless], bad, FOLDS)
    assert measured.mean < 0.003
    assert pick([best, *copies], bad) == {0: 1.0}


def test_members_that_cost_too_much_are_left_out() -> None:
    truth, bad, random = market(0)
    members = [noisy(random, truth, number, noise=1.0, cost=8.0) for number in range(4)]
    assert len(pick(members, bad, max_cost=inf)) == 4
    assert len(pick(members, bad, max_cost=20)) == 2
    assert pick(members, bad, max_cost=5) == {}
