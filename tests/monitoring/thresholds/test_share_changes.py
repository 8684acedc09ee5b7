"""A level that vanishes or appears is named, and months and chance are not."""

import numpy as np
import pytest

from monitoring.thresholds.share_changes import ShareChange, ShareKind, changed_shares
from monitoring.thresholds.thresholds import Level

NAMES = ["web", "app", "shop", "kiosk", "new"]
SHARES = np.array([0.42, 0.3, 0.2, 0.08, 0.0])


def months(generator: np.random.Generator, count: int, rows: int, varies: float = 0.1) -> np.ndarray:
    """Return months whose shares vary by so much in log odds beyond chance."""
    return np.array([generator.multinomial(rows, shares(generator, SHARES, varies)) for _ in range(count)])


def shares(generator: np.random.Generator, around: np.ndarray, varies: float = 0.1) -> np.ndarray:
    moved = around * np.exp(varies * generator.standard_normal(len(around)))
    return np.asarray(moved / moved.sum())


def of(generator: np.random.Generator, around: np.ndarray, rows: int, periods: int = 12) -> list[ShareChange]:
    now = generator.multinomial(rows, shares(generator, around / around.sum()))
    return list(changed_shares("channel", NAMES, months(generator, periods, rows), now, is_segment=True))


@pytest.mark.parametrize("rows", [2500, 10_000])
@pytest.mark.parametrize("periods", [1, 3, 12])
def test_a_segment_that_loses_nine_tenths_vanishes(rows: int, periods: int) -> None:
    around = SHARES * np.array([1, 1, 1, 0.1, 1])
    found = [of(np.random.default_rng(seed), around, rows, periods) for seed in range(100)]
    named = [one for (one,) in filter(None, found)]
    assert {(one.kind, one.name, one.level) for one in named} == {(ShareKind.VANISHED, "kiosk", Level.ACT)}
    assert {one.cause for one in named} == {"segment vanished"}
    assert len(named) >= 95


@pytest.mark.parametrize("rows", [2500, 10_000])
def test_a_level_that_appears_is_named(rows: int) -> None:
    around = np.append(SHARES[:4] * 0.95, 0.05)
    for seed in range(100):
        (change,) = of(np.random.default_rng(seed), around, rows)
        assert (change.kind, change.name) == (ShareKind.APPEARED, "new")


@pytest.mark.parametrize("varies", [0.0, 0.1, 0.4])
def test_months_that_vary_have_no_change(varies: float) -> None:
    generator = np.random.default_rng(7)
    for _ in range(1000):
        now = months(generator, 1, 2500, varies)[0]
        assert not list(changed_shares("channel", NAMES, months(generator, 12, 2500, varies), now))


def test_a_level_that_comes_and_goes_does_neither() -> None:
    before = np.array([[900, 100], [1000, 0], [880, 120], [1000, 0], [910, 90]])
    assert not list(changed_shares("campaign", ["no", "yes"], before, np.array([1000, 0])))
    assert not list(changed_shares("campaign", ["no", "yes"], before, np.array([880, 120])))


def test_an_uncertain_expectation_is_no_news() -> None:
    before, now = np.array([[990, 4]]), np.array([9500, 500])
    (change,) = changed_shares("city", ["known", None], before, now)
    assert change.subject == "new values of city"
    assert not list(changed_shares("city", ["known", None], before, now, weights={1: 0.01}))


def test_nothing_is_compared_with_nothing() -> None:
    assert not list(changed_shares("city", ["a"], np.zeros((2, 1), np.int64), np.array([9])))
    assert not list(changed_shares("city", ["a"], np.array([[9]]), np.array([0])))
