"""The expected AUC against every outcome there is, weighed by its chance, and against simulated samples."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from pipelines.credit.expected_auc import expected_auc

chances = st.lists(st.floats(0.02, 0.98), min_size=3, max_size=8)


def every_outcome(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    outcomes = np.array(list(product([0, 1], repeat=len(p))))
    return outcomes, np.where(outcomes == 1, p, 1 - p).prod(axis=1)


def pairs_of(outcomes: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    above = (score[:, None] > score) + (score[:, None] == score) / 2
    right = np.einsum("ki,ij,kj->k", outcomes, above, 1 - outcomes)
    return right, outcomes.sum(axis=1) * (1 - outcomes).sum(axis=1)


@settings(max_examples=60, deadline=None)
@given(chances, st.integers(0, 3))
def test_mean_and_variance_of_pairs_are_exact(listed: list[float], decimals: int) -> None:
    # given scores with and without ties, and all 2^n outcomes
    p = np.array(listed)
    score = np.round(p, decimals)
    outcomes, weight = every_outcome(p)
    right, pairs = pairs_of(outcomes, score)
    # when the ratio's first and second moments are taken by enumeration
    ratio = (weight @ right) / (weight @ pairs)
    excess = right - ratio * pairs
    covariance = weight @ (excess * pairs) - (weight @ excess) * (weight @ pairs)
    variance = weight @ excess**2
    # then
    found = expected_auc(p, score)
    corrected = ratio - covariance / (weight @ pairs) ** 2
    assert found.value == pytest.approx(np.clip(corrected, 0, 1), abs=1e-9)
    assert found.deviation == pytest.approx(np.sqrt(variance) / (weight @ pairs), abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_the_mean_auc_of_ten_loans_by_enumeration(seed: int) -> None:
    generator = np.random.default_rng(seed)
    p = generator.uniform(0.3, 0.7, 10)
    outcomes, weight = every_outcome(p)
    right, pairs = pairs_of(outcomes, p)
    whole = pairs > 0
    true = (weight[whole] @ (right[whole] / pairs[whole])) / weight[whole].sum()
    assert expected_auc(p, p).value == pytest.approx(true, abs=0.005)


def test_certain_outcomes_have_the_auc_itself() -> None:
    generator = np.random.default_rng(1)
    bad, score = generator.integers(0, 2, 500), np.round(generator.normal(size=500), 1)
    found = expected_auc(bad.astype(float), score)
    assert found.value == pytest.approx(roc_auc_score(bad, score), abs=1e-12)
    assert found.deviation == pytest.approx(0, abs=1e-9)


def test_no_possible_pair_has_no_auc() -> None:
    assert np.isnan(expected_auc(np.zeros(5), np.arange(5.0)).value)


def test_realised_aucs_lie_about_it_as_it_says() -> None:
    # given a fixed book and 800 draws of what becomes of it
    generator = np.random.default_rng(4)
    p = generator.beta(1, 12, 300)
    expected = expected_auc(p, p)
    above = (p[:, None] > p) + (p[:, None] == p) / 2
    bad = (generator.random((800, 300)) < p).astype(float)
    right, pairs = ((bad @ above) * (1 - bad)).sum(axis=1), bad.sum(axis=1) * (1 - bad).sum(axis=1)
    found = right / pairs
    # then
    assert found.mean() == pytest.approx(expected.value, abs=4 * expected.deviation / np.sqrt(800))
    assert found.std() == pytest.approx(expected.deviation, rel=0.1)
    inside = np.mean(np.abs(found - expected.value) < norm.ppf(0.975) * expected.deviation)
    assert inside == pytest.approx(0.95, abs=0.03)
