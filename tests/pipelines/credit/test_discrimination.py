"""Discrimination against scikit-learn, scipy and DeLong's own definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import ks_2samp, norm, rankdata
from sklearn.metrics import roc_auc_score

from pipelines.credit.discrimination import (
    auc,
    cumulative_shares,
    delong_difference,
    gini,
    kolmogorov_smirnov,
    mid_ranks,
)

Floats = NDArray[np.float64]

tied_scores = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(0, 6)), min_size=6, max_size=60
).filter(lambda rows: 2 <= sum(bad for bad, *_ in rows) <= len(rows) - 2)


def unpack(rows: list[tuple[int, int, int]]) -> tuple[NDArray[np.int8], Floats, Floats]:
    bad, score, other = np.array(rows).T
    return bad.astype(np.int8), score.astype(float), other.astype(float)


@given(tied_scores)
def test_auc_and_gini_agree_with_scikit_learn_ties_included(rows: list[tuple[int, int, int]]) -> None:
    bad, score, _ = unpack(rows)
    assert auc(bad, score) == pytest.approx(roc_auc_score(bad, score), abs=1e-12)
    assert gini(bad, score) == pytest.approx(2 * roc_auc_score(bad, score) - 1, abs=1e-12)


@given(tied_scores)
def test_kolmogorov_smirnov_agrees_with_scipy(rows: list[tuple[int, int, int]]) -> None:
    bad, score, _ = unpack(rows)
    expected = ks_2samp(score[bad == 1], score[bad == 0], method="asymp").statistic
    assert kolmogorov_smirnov(bad, score) == pytest.approx(expected, abs=1e-12)


def delong_by_definition(bad: NDArray[np.int8], scores: list[Floats]) -> tuple[float, float]:
    """Return the difference of two AUCs and its variance, term by term as DeLong et al. (1988) write it."""

    def psi(x: float, y: float) -> float:
        return 1.0 if y < x else 0.5 if y == x else 0.0

    on_bad, on_good = [], []
    for score in scores:
        bads, goods = score[bad == 1], score[bad == 0]
        table = np.array([[psi(x, y) for y in goods] for x in bads])
        on_bad.append(table.mean(axis=1))
        on_good.append(table.mean(axis=0))
    contrast = np.array([1.0, -1.0])
    covariance = np.cov(on_bad) / len(on_bad[0]) + np.cov(on_good) / len(on_good[0])
    return float(on_bad[0].mean() - on_bad[1].mean()), float(contrast @ covariance @ contrast)


@given(tied_scores)
def test_delong_agrees_with_its_definition(rows: list[tuple[int, int, int]]) -> None:
    bad, score, other = unpack(rows)
    difference, variance = delong_by_definition(bad, [score, other])
    found = delong_difference(bad, score, other, confidence=0.95)
    reach = norm.ppf(0.975) * np.sqrt(max(variance, 0.0))
    assert found.difference == pytest.approx(difference, abs=1e-9)
    assert found.high - found.low == pytest.approx(2 * reach, abs=1e-7)


def test_scores_that_rank_alike_do_not_differ_at_all() -> None:
    generator = np.random.default_rng(0)
    bad, score = generator.integers(0, 2, 50).astype(np.int8), generator.normal(size=50)
    found = delong_difference(bad, score, np.exp(score), confidence=0.95)
    assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)


def test_the_interval_covers_no_difference_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        truth = generator.normal(size=150)
        bad = (truth + generator.normal(size=150) > 0.5).astype(np.int8)
        score, other = (truth + generator.normal(size=150) for _ in range(2))
        found = delong_difference(bad, score, other, confidence=0.95)
        covered += found.low <= 0 <= found.high
    assert 0.92 <= covered / 400 <= 0.98  # 95% +- three standard errors


def test_delong_agrees_with_the_bootstrap_on_one_sample() -> None:
    generator = np.random.default_rng(5)
    truth = generator.normal(size=600)
    bad = (truth + generator.normal(size=600) > 0.8).astype(np.int8)
    score, other = truth + generator.normal(size=600), truth + 2 * generator.normal(size=600)
    found = delong_difference(bad, score, other, confidence=0.9)
    draws = (generator.integers(0, 600, 600) for _ in range(1000))
    differences = [auc(bad[rows], score[rows]) - auc(bad[rows], other[rows]) for rows in draws]
    low, high = np.quantile(differences, [0.05, 0.95])
    assert found.difference == pytest.approx(roc_auc_score(bad, score) - roc_auc_score(bad, other))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.006)  # of an interval 0.09 wide


@given(tied_scores)
def test_swapping_the_scores_turns_the_difference_round(rows: list[tuple[int, int, int]]) -> None:
    bad, score, other = unpack(rows)
    found, turned = (delong_difference(bad, *pair, confidence=0.95) for pair in ((score, other), (other, score)))
    assert (found.difference, found.low, found.high) == pytest.approx(
        (-turned.difference, -turned.high, -turned.low), abs=1e-12
    )


@given(tied_scores)
def test_only_the_order_of_a_score_matters(rows: list[tuple[int, int, int]]) -> None:
    bad, score, _ = unpack(rows)
    for measure in (auc, gini, kolmogorov_smirnov):
        assert measure(bad, np.exp(score) * 7 - 3) == measure(bad, score)
    assert gini(bad, -score) == pytest.approx(-gini(bad, score), abs=1e-12)
    assert kolmogorov_smirnov(bad, -score) == pytest.approx(kolmogorov_smirnov(bad, score), abs=1e-12)


@given(st.lists(st.integers(0, 5), min_size=1))
def test_mid_ranks_agree_with_scipy(values: list[int]) -> None:
    np.testing.assert_array_equal(mid_ranks(np.array(values, dtype=float)), rankdata(values))


def test_cumulative_shares_by_hand() -> None:
    bad, score = np.array([0, 1, 0, 1], dtype=np.int8), np.array([1.0, 2.0, 2.0, 3.0])
    distinct, goods, bads = cumulative_shares(bad, score)
    assert (distinct.tolist(), goods.tolist(), bads.tolist()) == ([1, 2, 3], [0.5, 1, 1], [0, 0.5, 1])
