"""Approval at a fixed rate is exact, and order decides nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.credit.approval_gap import approval_rates, approved_at_rate, widest_gap

RISKS = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=60)
RATES = st.floats(0.01, 0.99)


@given(RISKS, RATES)
def test_the_rate_is_met_exactly_and_nobody_is_approved_before_someone_safer(risks: list[float], rate: float) -> None:
    risk = np.array(risks)
    approved = approved_at_rate(risk, rate)
    assert approved.mean() == pytest.approx(rate)
    assert ((approved >= 0) & (approved <= 1)).all()
    order = np.argsort(risk)
    assert (np.diff(approved[order]) <= 1e-12).all()


@given(RISKS, RATES, st.randoms(use_true_random=False))
def test_the_order_of_the_applications_changes_nothing(risks: list[float], rate: float, luck: st.DataObject) -> None:
    order = list(range(len(risks)))
    luck.shuffle(order)  # type: ignore[attr-defined]
    risk = np.array(risks)
    np.testing.assert_allclose(approved_at_rate(risk[order], rate), approved_at_rate(risk, rate)[order])


def test_small_and_unknown_groups_are_not_compared() -> None:
    groups = np.array(["f", "f", "m", "m", "x", None], dtype=object)
    approved = np.array([1.0, 0.5, 1.0, 0.0, 0.0, 0.0])
    rates = approval_rates(approved, groups, minimum=2)
    assert rates == {"f": 0.75, "m": 0.5}
    assert widest_gap(rates) == 0.25
