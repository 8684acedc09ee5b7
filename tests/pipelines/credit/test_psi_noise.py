"""The likelihood ratio beside PSI: against scipy, against simulation, and where the approximation for PSI fails."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency

from pipelines.credit.psi_noise import deviance, moments_without_drift
from pipelines.credit.stability import stability_indices

pairs = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=2, max_size=8).map(np.array)


@given(pairs)
def test_the_deviance_is_the_likelihood_ratio_of_the_table(table: np.ndarray) -> None:
    truth = chi2_contingency(table.T, correction=False, lambda_="log-likelihood").statistic
    assert float(deviance(table[:, 0], table[:, 1])) == pytest.approx(truth, abs=1e-6)


@given(pairs)
def test_equal_shares_and_empty_samples_have_none(table: np.ndarray) -> None:
    assert float(deviance(table[:, 0], 3 * table[:, 0])) == pytest.approx(0, abs=1e-9)
    assert float(deviance(table[:, 0] * 0, table[:, 1])) == 0


@pytest.mark.parametrize(
    ("first_rows", "second_rows", "share"),
    [
        (1000, 12_000, np.full(10, 0.1)),
        (200, 2400, np.array([0.5, 0.3, 0.1, 0.06, 0.02, 0.01, 0.005, 0.005])),  # down to one expected row
        (60, 60, np.array([0.9, 0.05, 0.03, 0.02])),
        (100, 100_000, np.array([0.97, 0.02, 0.008, 0.002])),
    ],
)
def test_moments_agree_with_simulation(first_rows: int, second_rows: int, share: np.ndarray) -> None:
    generator, rounds = np.random.default_rng(0), 40_000
    first, second = (generator.multinomial(rows, share, rounds) for rows in (first_rows, second_rows))
    found = deviance(first, second)
    fraction = np.full(rounds, first_rows / (first_rows + second_rows))
    mean, variance = moments_without_drift(first + second, fraction)
    assert mean.mean() == pytest.approx(found.mean(), rel=0.02)
    assert variance.mean() + mean.var() == pytest.approx(found.var(), rel=0.06)


def test_many_rows_make_it_chi_square() -> None:
    mean, variance = moments_without_drift(np.full(10, 1_000_000), np.array(0.3))
    assert (float(mean), float(variance)) == (pytest.approx(9, abs=1e-3), pytest.approx(18, abs=1e-3))


def test_bins_that_nobody_fills_are_no_bins() -> None:
    filled = moments_without_drift(np.array([500, 400]), np.array(0.5))
    padded = moments_without_drift(np.array([500, 400, 0, 0]), np.array(0.5))
    assert [float(one) for one in padded] == pytest.approx([float(one) for one in filled])


def test_far_out_psi_is_not_chi_square_and_the_likelihood_ratio_is_nearly() -> None:
    # given months of 100 rows against 100,000, ten bins of ten expected rows each: where alarms are decided
    generator, rounds, level = np.random.default_rng(1), 200_000, 1e-4
    month = generator.multinomial(100, np.full(10, 0.1), rounds)
    reference = np.full(10, 10_000)
    limit = chi2.isf(level, 9)
    # when
    by_psi = (stability_indices(reference, month) / (1 / 100 + 1 / 100_000) > limit).mean()
    by_ratio = (deviance(month, reference) > limit).mean()
    # then PSI exceeds its chi-square limit three times as often as it should
    assert by_psi > 2.5 * level
    assert by_ratio < 2 * level


def test_one_empty_bin_is_as_far_out_as_is_told() -> None:
    # of 10 expected rows none: the module's example (Poisson: exp(-10))
    month, reference = np.array([0, 10_000]), np.array([10_000_000, 9_990_000_000])
    scale = 1 / 10_000 + 1 / 1e10
    assert np.exp(-10) == pytest.approx(1 / 22_000, rel=0.01)
    assert float(stability_indices(reference, month)) / scale == pytest.approx(9.5 * np.log(10 / 0.5), rel=0.01)
    assert float(deviance(month, reference)) == pytest.approx(20, rel=0.01)
