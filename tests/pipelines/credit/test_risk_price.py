"""The risk-based price: month by month, in closed form, and by law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.credit.hazard import monthly_defaults, survival
from pipelines.credit.instalments import Interest, annuity_factor
from pipelines.credit.risk_price import ExpectedPayments, discounts, expected_payments, lowest_rate, yearly_funding

RATES = st.floats(0, 2)
TERMS = st.integers(1, 36)


def payments_of(pd: float, term: int, interest: Interest, lost: float = 0.6, asked: float = 0.09) -> ExpectedPayments:
    alive = survival(pd, 9, [1.65, 0.9, 0.8], term)
    return expected_payments(alive[1:], monthly_defaults(alive), discounts(asked, term), lost, interest)


def month_by_month(pd: float, term: int, interest: Interest, rate: float, lost: float, asked: float) -> float:
    """Return the expected value of a loan of 1 by walking through its months."""
    alive = survival(pd, 9, [1.65, 0.9, 0.8], term)
    each = annuity_factor(rate / 12, term) if interest is Interest.annuity else 1 / term + rate / 12
    owed, value = 1.0, 0.0
    for month in range(1, term + 1):
        value += (alive[month] * each + (alive[month - 1] - alive[month]) * (1 - lost) * owed) / (
            1 + asked / 12
        ) ** month
        owed -= each - owed * rate / 12 if interest is Interest.annuity else 1 / term
    assert owed == pytest.approx(0, abs=1e-6)
    return value


@given(st.floats(0, 1), TERMS, st.sampled_from(Interest), RATES, st.floats(0, 1), st.floats(0, 0.5))
def test_the_expected_value_is_that_of_its_months(
    pd: float, term: int, interest: Interest, rate: float, lost: float, asked: float
) -> None:
    rate = 0.0 if rate < 1e-6 else rate
    found = payments_of(pd, term, interest, lost, asked).value(rate)
    assert found == pytest.approx(month_by_month(pd, term, interest, rate, lost, asked), rel=1e-7)


@pytest.mark.parametrize("term", [1, 3, 12, 24])
def test_without_risk_the_price_is_what_is_asked(term: int) -> None:
    assert lowest_rate(payments_of(0.0, term, Interest.annuity), 1.0, 0.0, 1.0) == pytest.approx(0.09, abs=1e-7)


def test_a_loan_of_one_month_has_a_price_in_closed_form() -> None:
    # (1 + r)(1 - p) + (1 - 0.6) p = 1 + 0.0075 for the month, with p of the first month
    p = 1 - survival(0.2, 9, [1.65, 0.9, 0.8], 1)[1]
    by_hand = 12 * ((1.0075 - 0.4 * p) / (1 - p) - 1)
    for interest in Interest:
        assert lowest_rate(payments_of(0.2, 1, interest), 1.0, 0.0, 10.0) == pytest.approx(by_hand, abs=1e-7)


@given(st.floats(0, 0.5), TERMS, st.sampled_from(Interest), st.floats(0.9, 1.0))
def test_the_lowest_rate_is_enough_and_less_is_not(pd: float, term: int, interest: Interest, asked: float) -> None:
    payments = payments_of(pd, term, interest)
    found = lowest_rate(payments, asked, 0.0, 3.0)
    if found is None:
        assert payments.value(3.0) < asked
    else:
        assert payments.value(found) >= asked - 1e-8
        assert found == 0 or payments.value(found - 1e-4) < asked


@given(st.floats(0, 0.4), st.floats(0, 0.4), TERMS, st.sampled_from(Interest))
def test_more_risk_never_costs_less(pd: float, other: float, term: int, interest: Interest) -> None:
    low, high = (lowest_rate(payments_of(one, term, interest), 1.0, 0.0, 50.0) for one in sorted((pd, other)))
    assert low is not None
    assert high is None or low <= high + 1e-7


@given(st.floats(0, 1), TERMS, st.sampled_from(Interest), RATES, RATES)
def test_a_higher_rate_is_never_worth_less(pd: float, term: int, interest: Interest, rate: float, other: float) -> None:
    payments = payments_of(pd, term, interest)
    low, high = (payments.value(one) for one in sorted((rate, other)))
    assert low <= high + 1e-9


def test_the_floor_holds_and_what_no_rate_covers_has_none() -> None:
    payments = payments_of(0.02, 12, Interest.annuity)
    assert lowest_rate(payments, 1.0, 0.25, 0.3) == 0.25
    assert lowest_rate(payments_of(0.9, 12, Interest.annuity), 1.0, 0.0, 0.3) is None


def test_a_funding_cost_over_a_life_is_a_rate_on_what_is_outstanding() -> None:
    # 12 equal repayments of 1/12: outstanding 12/12, 11/12, ... 1/12 for a month each
    outstanding = sum(np.arange(1, 13)) / 12 / 12
    assert yearly_funding(0.03, 12) * outstanding == pytest.approx(0.03)
