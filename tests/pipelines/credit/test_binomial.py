"""The binomial test against SciPy's, Holm's against a hand-worked table, Hosmer-Lemeshow against a hand and a law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2, kstest

from pipelines.credit.binomial import binomial_by_band, binomial_p_value, exact_interval, holm
from pipelines.credit.hosmer_lemeshow import hosmer_lemeshow
from pipelines.credit.vintage import VintageTable
from pipelines.credit.vintage_curve import vintage_curves


@given(
    st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from([0.0, 1.0]) | st.floats(1e-6, 1 - 1e-6),
)
def test_p_value_and_interval_are_scipys(case: tuple[int, int], rate: float) -> None:
    bad, rows = case
    theirs = binomtest(bad, rows, rate)
    assert binomial_p_value(bad, rows, rate) == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)
    assert exact_interval(bad, rows, 0.95) == pytest.approx(tuple(theirs.proportion_ci(0.95)), abs=1e-9)


def test_bands_in_their_order_with_their_own_figures() -> None:
    band = np.repeat(["low", "high"], [200, 100])
    bad = np.r_[np.repeat([1, 0], [20, 180]), np.repeat([1, 0], [3, 97])].astype(np.int8)
    found = binomial_by_band(bad, np.repeat([0.05, 0.03], [200, 100]), band, ["low", "none", "high"], confidence=0.95)
    assert [one.band for one in found] == ["low", "high"]
    assert [one.differs for one in found] == [True, False]
    assert found[0].p_value == pytest.approx(binomtest(20, 200, 0.05).pvalue)
    assert (found[0].rows, found[0].bad, found[0].observed_rate) == (200, 20, 0.1)


def test_holm_on_his_order() -> None:
    # 0.001 <= 0.05 / 4, 0.016 <= 0.05 / 3, 0.03 > 0.05 / 2: the rest stays
    assert holm([0.03, 0.001, 0.04, 0.016], 0.05) == [False, True, False, True]
    assert holm([], 0.05) == []


def test_hosmer_lemeshow_by_hand() -> None:
    # two groups of 10: expected 1 and 4, observed 2 and 5: 1 / (1 x 0.9) + 1 / (4 x 0.6)
    pd = np.repeat([0.1, 0.4], 10)
    bad = np.r_[np.repeat([1, 0], [2, 8]), np.repeat([1, 0], [5, 5])].astype(np.int8)
    found = hosmer_lemeshow(bad, pd, groups=2)
    assert found is not None
    assert found.statistic == pytest.approx(1 / 0.9 + 1 / 2.4)
    assert found.degrees == 2
    assert found.p_value == pytest.approx(chi2.sf(1 / 0.9 + 1 / 2.4, 2))
    order = np.random.default_rng(0).permutation(20)
    assert hosmer_lemeshow(bad[order], pd[order], groups=2) == found
    assert hosmer_lemeshow(bad, pd, groups=2, fitted_on_these=True) is None
    assert hosmer_lemeshow(bad, np.full(20, 0.2)) is None


def test_p_values_of_right_pds_are_uniform() -> None:
    generator = np.random.default_rng(2)
    found = []
    for _ in range(400):
        pd = generator.beta(2, 8, 1_000)
        found.append(hosmer_lemeshow((generator.random(1_000) < pd).astype(np.int8), pd).p_value)  # type: ignore[union-attr]
    assert kstest(found, "uniform").pvalue > 0.001


def test_vintage_curves_say_where_only_part_of_a_month_is_old_enough() -> None:
    months = np.array(["2023-01", "2023-02"], dtype="datetime64[M]")
    table = VintageTable(months, np.array([[3, 3, 2], [2, 1, 0]]), np.array([[0, 1, 1], [0, 1, 0]]))
    old, young = vintage_curves(table, confidence=0.95)
    assert (old.month, young.month) == ("2023-01", "2023-02")
    assert [(p.age, p.loans, p.bad, p.is_whole) for p in old.points] == [
        (0, 3, 0, True), (1, 3, 1, True), (2, 2, 1, False)]  # fmt: skip
    assert [p.share for p in young.points] == [0, 1]
    assert all(p.low <= p.share <= p.high for p in (*old.points, *young.points))
