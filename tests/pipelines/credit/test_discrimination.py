"""Discrimination against scikit-learn, scipy and DeLong's own definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest, ks_2samp, norm, rankdata
from sklearn.metrics import roc_auc_score

from pipelines.credit.discrimination import (
    AucDifference,
    auc,
    auc_of,
    delong_difference,
    kolmogorov_smirnov_of,
    mid_ranks,
)
from pipelines.credit.tally import tally

Floats = NDArray[np.float64]

tied_scores = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(0, 6)), min_size=6, max_size=60
).filter(lambda rows: 2 <= sum(bad for bad, *_ in rows) <= len(rows) - 2)


def unpack(rows: list[tuple[int, int, int]]) -> tuple[NDArray[np.int8], Floats, Floats]:
    bad, score, other = np.array(rows).T
    return bad.astype(np.int8), score.astype(float), other.astype(float)


@given(tied_scores)
def test_auc_agrees_with_scikit_learn_ties_included(rows: list[tuple[int, int, int]]) -> None:
    bad, score, _ = unpack(rows)
    assert auc(bad, score) == pytest.approx(roc_auc_score(bad, score), abs=1e-12)


@given(tied_scores)
def test_kolmogorov_smirnov_agrees_with_scipy(rows: list[tuple[int, int, int]]) -> None:
    bad, score, _ = unpack(rows)
    expected = ks_2samp(score[bad == 1], score[bad == 0], method="asymp").statistic
    assert kolmogorov_smirnov_of(tally(bad, score)) == pytest.approx(expected, abs=1e-12)


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


OVARIAN = """3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0 1.6 5.6 5 1
3.8 5.7 5 1 3.7 6.7 6 1 3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1 3.6 6.7 4 0 2.3 4.4 6 1 4.2 7.6 4 0
4.0 6.6 6 0 3.5 5.8 6 1 3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1 3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1 4.3 6.5 4 1
3.2 5.1 5 1 2.6 4.7 6 1 3.3 6.8 6 0 1.7 4.0 7 0 3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1 2.9 5.7 9 0 2.1 4.8 7 1
2.8 6.2 8 0 4.0 7.0 7 1 3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1"""
"""Albumin, total protein, K-G score and outcome of the patients of DeLong et al. (1988) without a missing value, as
printed in the SAS/STAT User's Guide, The LOGISTIC Procedure, example "Comparing Receiver Operating Characteristic
Curves"."""


def test_delong_agrees_with_its_definition_on_the_authors_own_patients() -> None:
    albumin, protein, kg, outcome = np.array(OVARIAN.split(), dtype=float).reshape(-1, 4).T
    bad = outcome.astype(np.int8)
    for marker in (albumin, protein):
        difference, variance = delong_by_definition(bad, [marker, 10 - kg])
        found = delong_difference(bad, marker, 10 - kg, confidence=0.95)
        assert (found.difference, found.variance) == pytest.approx((difference, variance), abs=1e-12)
        assert found.p_better() == pytest.approx(norm.sf(difference / np.sqrt(variance)), abs=1e-12)


def test_the_one_sided_p_value_is_the_normal_tail_beyond_the_margin() -> None:
    found = AucDifference(0.01, 0.0, 0.0, 0.0001)
    assert found.p_better() == pytest.approx(norm.sf(1.0), rel=1e-12)
    assert found.p_better(0.02) == pytest.approx(norm.sf(3.0), rel=1e-12)
    assert AucDifference(0.2, 0.0, 0.0, 0.0001).p_better() == pytest.approx(norm.sf(20.0), rel=1e-9)


def test_the_same_ranking_is_not_inferior_and_never_superior() -> None:
    found = AucDifference(0.0, 0.0, 0.0, 0.0)
    assert (found.p_better(), found.p_better(0.005)) == (1.0, 0.0)


def test_the_one_sided_p_value_is_small_no_more_often_than_it_says_at_the_edge_of_the_margin() -> None:
    # given: a first score that is truly worse, by the margin
    generator = np.random.default_rng(2)
    margin, refused = float(norm.cdf(1 / np.sqrt(2)) - norm.cdf(0.8 / np.sqrt(2))), 0
    for _ in range(400):
        bad = (generator.random(250) < 0.4).astype(np.int8)
        noise = generator.normal(size=(2, 250)) * np.sqrt(0.5) + generator.normal(size=250) * np.sqrt(0.5)
        refused += delong_difference(bad, noise[0] + 0.8 * bad, noise[1] + bad, confidence=0.95).p_better(margin) < 0.05
    assert binomtest(refused, 400, 0.05, alternative="greater").pvalue >= 0.01


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
    counts = tally(bad, score)
    for measure in (auc_of, kolmogorov_smirnov_of):
        assert measure(tally(bad, np.exp(score) * 7 - 3)) == measure(counts)
    assert auc(bad, -score) == pytest.approx(1 - auc(bad, score), abs=1e-12)
    assert kolmogorov_smirnov_of(tally(bad, -score)) == pytest.approx(kolmogorov_smirnov_of(counts), abs=1e-12)


@given(st.lists(st.integers(0, 5), min_size=1))
def test_mid_ranks_agree_with_scipy(values: list[int]) -> None:
    np.testing.assert_array_equal(mid_ranks(np.array(values, dtype=float)), rankdata(values))
