"""Annual percentage rates: the examples of the rules themselves, other implementations, and laws."""

import math

import numpy as np
import numpy_financial
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from pipelines.credit.annual_rate import RateConvention, annual_rate, dated_irr, interval_irr
from pipelines.credit.instalments import Interest, schedule_of

EFFECTIVE, NOMINAL = RateConvention.effective, RateConvention.nominal


def test_the_first_example_of_the_european_directive() -> None:
    # Directive 98/7/EC, annex III: 1,000 lent on 1 January 1994, 1,200 repaid on 1 July 1995, 546 days: 12.96%
    assert round(dated_irr(1_000, [1_200], [546]), 4) == 0.1296


def test_the_first_example_of_regulation_z() -> None:
    # 12 CFR 1026, appendix J (c)(1): 5,000 repaid in 24 monthly payments of 230: 9.69%
    assert round(annual_rate(interval_irr(5_000, [230] * 24), NOMINAL), 4) == 0.0969


def test_payments_by_hand() -> None:
    # two of 600 a year apart: x = (600 + sqrt(600^2 + 4 x 1000 x 600)) / 2000 - 1
    by_hand = (600 + math.sqrt(600**2 + 4 * 1000 * 600)) / 2000 - 1
    assert dated_irr(1_000, [600, 600], [365, 730]) == pytest.approx(by_hand, abs=1e-12)
    monthly = interval_irr(1_000, [0] * 11 + [600] + [0] * 11 + [600])
    assert annual_rate(monthly, EFFECTIVE) == pytest.approx(by_hand, abs=1e-12)


def test_a_fee_is_received_less() -> None:
    assert dated_irr(950, [1_200], [730]) == pytest.approx(math.sqrt(1_200 / 950) - 1)
    payments = schedule_of(100_000, 0.12, 12).amounts
    rates = [interval_irr(100_000 - fee, payments) for fee in (0, 1_000, 5_000)]
    assert rates == sorted(rates)
    assert annual_rate(rates[0], NOMINAL) == pytest.approx(0.12, abs=1e-5)


@given(st.integers(10**6, 10**9), st.floats(0, 3), st.integers(1, 60), st.floats(0, 0.5))
def test_both_conventions_solve_their_equation(principal: int, rate: float, term: int, fee: float) -> None:
    payments, received = schedule_of(principal, rate, term).amounts, principal * (1 - fee)
    monthly = interval_irr(received, payments)
    effective = annual_rate(monthly, EFFECTIVE)
    worth = math.fsum(one * (1 + effective) ** (-month / 12) for month, one in enumerate(payments, start=1))
    assert worth == pytest.approx(received, rel=1e-9)
    assert annual_rate(monthly, NOMINAL) == pytest.approx(12 * monthly)
    assert effective >= annual_rate(monthly, NOMINAL) - 1e-12


@pytest.mark.parametrize("interest", Interest)
def test_rates_are_those_of_numpy_financial(interest: Interest) -> None:
    for term in (3, 6, 12, 24):
        payments = schedule_of(123_457, 0.29, term, interest).amounts
        assert interval_irr(120_000, payments) == pytest.approx(numpy_financial.irr([-120_000, *payments]), abs=1e-9)


def test_dated_payments_agree_with_a_root_finder_that_is_slow_and_sure() -> None:
    generator = np.random.default_rng(0)
    for _ in range(50):
        days = np.sort(generator.integers(1, 900, 12)).tolist()
        payments = generator.integers(1, 10_000, 12).tolist()
        received = float(sum(payments)) * generator.uniform(0.5, 1.1)

        def gap(
            rate: float, payments: list[int] = payments, days: list[int] = days, received: float = received
        ) -> float:
            return (
                math.fsum(one * (1 + rate) ** (-day / 365) for one, day in zip(payments, days, strict=True)) - received
            )

        assert dated_irr(received, payments, days) == pytest.approx(brentq(gap, -0.99, 1e4, xtol=1e-14), rel=1e-8)


def test_who_pays_back_less_has_a_rate_below_zero_and_who_pays_back_the_same_one_of_zero() -> None:
    assert interval_irr(300, [100, 100, 100]) == 0
    assert interval_irr(110, [100]) == pytest.approx(100 / 110 - 1)


@pytest.mark.parametrize(("received", "payments"), [(0, [100]), (-5, [100]), (100, [0, 0])])
def test_without_two_sides_there_is_no_rate(received: float, payments: list[float]) -> None:
    with pytest.raises(ValueError, match="a rate needs"):
        interval_irr(received, payments)
    with pytest.raises(ValueError, match="a rate needs"):
        dated_irr(received, payments, [30] * len(payments))


def test_each_payment_has_its_day() -> None:
    with pytest.raises(ValueError, match="zip"):
        dated_irr(100, [50, 60], [30])
