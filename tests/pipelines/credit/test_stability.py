"""PSI's laws, and how far noise reaches."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pipelines.credit.stability import noise_limit, population_stability_index

counts = st.lists(st.integers(0, 1000), min_size=2, max_size=12).map(np.array)


@given(counts)
def test_equal_samples_are_stable(reference: np.ndarray) -> None:
    assert population_stability_index(reference, reference) == 0


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=2, max_size=12))
def test_psi_is_symmetric_and_never_negative(pairs: list[tuple[int, int]]) -> None:
    reference, current = np.array(pairs).T
    found = population_stability_index(reference, current)
    assert found >= 0
    assert found == pytest.approx(population_stability_index(current, reference))


def test_psi_of_a_published_example() -> None:
    # Of 100,000 rows, half a row more in a bin is nothing: (0.2 - 0.3) ln(0.2 / 0.3) + (0.8 - 0.7) ln(0.8 / 0.7).
    found = population_stability_index(np.array([30_000, 70_000]), np.array([20_000, 80_000]))
    assert found == pytest.approx(-0.1 * np.log(2 / 3) + 0.1 * np.log(8 / 7), abs=1e-5)


@pytest.mark.parametrize(("reference_rows", "rows", "bins"), [(180, 100, 9), (1000, 1000, 10), (100_000, 400, 10)])
def test_noise_alone_exceeds_the_limit_as_often_as_the_level_says(reference_rows: int, rows: int, bins: int) -> None:
    generator, level, rounds = np.random.default_rng(0), 0.05, 2000
    limit = noise_limit(reference_rows, rows, bins, level=level)
    shares = np.full(bins, 1 / bins)
    reference = generator.multinomial(reference_rows, shares, rounds)
    current = generator.multinomial(rows, shares, rounds)
    rang = sum(population_stability_index(*pair) > limit for pair in zip(reference, current, strict=True))
    assert binomtest(rang, rounds, level, alternative="greater").pvalue > 0.01
    assert rang / rounds > level / 3  # and the limit is not so wide that nothing could be found


def test_more_comparisons_ask_for_a_larger_move() -> None:
    # chi-square quantiles with 9 degrees of freedom: 16.919 at 5%, 23.589 at 0.5%
    limit = (1 / 500 + 1 / 250) * np.array([16.919, 23.589])
    found = [noise_limit(500, 250, 10, level=0.05, comparisons=comparisons) for comparisons in (1, 10)]
    assert found == pytest.approx(limit.tolist(), abs=1e-5)


@given(st.integers(10, 10**6), st.integers(10, 10**6), st.integers(2, 20))
def test_more_rows_leave_less_to_noise(reference: int, current: int, bins: int) -> None:
    limit = noise_limit(reference, current, bins, level=0.01)
    assert limit == noise_limit(current, reference, bins, level=0.01)
    assert noise_limit(reference + 1, current, bins, level=0.01) < limit
    assert noise_limit(reference, current, bins + 1, level=0.01) > limit


@given(counts, st.randoms())
def test_the_order_of_the_bins_does_not_matter(reference: np.ndarray, random: Random) -> None:
    current, order = reference[::-1] + 1, list(range(len(reference)))
    random.shuffle(order)
    found = population_stability_index(reference[order], current[order])
    assert found == pytest.approx(population_stability_index(reference, current))


def test_a_report_on_many_columns_rings_no_more_often_than_one() -> None:
    # given 20 columns of 8 bins, none of which drifted, in 500 reports
    generator, level, rounds, columns = np.random.default_rng(3), 0.05, 500, 20
    limit = noise_limit(600, 300, 8, level=level, comparisons=columns)
    shares = np.full(8, 1 / 8)
    reference, current = (generator.multinomial(rows, shares, (rounds, columns)) for rows in (600, 300))
    # when
    rang = sum(
        any(population_stability_index(*pair) > limit for pair in zip(*report, strict=True))
        for report in zip(reference, current, strict=True)
    )
    # then
    assert binomtest(rang, rounds, level, alternative="greater").pvalue > 0.01
    assert rang > 0
