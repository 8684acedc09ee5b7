"""Schedules by hand, against decimal arithmetic, and by law: whatever the rounding, they sum to what is owed."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.credit.instalments import Interest, Rounding, annuity_factor, divided, schedule_of

ROUNDINGS = {Rounding.half_even: ROUND_HALF_EVEN, Rounding.half_up: ROUND_HALF_UP}
MILLIONTHS = st.integers(0, 2_000_000)
TERMS = st.integers(1, 60)


def rounded(value: Fraction, rounding: Rounding) -> int:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return int(exact.quantize(Decimal(1), ROUNDINGS[rounding]))


def test_an_annuity_by_hand() -> None:
    # 1,000.00 at 1% a month in three parts: 1000 x 0.01 / (1 - 1.01^-3) = 340.0221
    found = schedule_of(100_000, 0.12, 3)
    assert found.amounts == (34_002, 34_002, 34_003)
    assert found.interest == (1_000, 670, 337)  # of 100,000, then 66,998, then 33,666
    assert found.principal == (33_002, 33_332, 33_666)
    assert found.owed == (100_000, 66_998, 33_666)


def test_flat_interest_by_hand() -> None:
    # 10% flat over six months of 1,000.00: 50.00 interest; 1,050.00 in six parts
    found = schedule_of(100_000, 0.1, 6, Interest.flat)
    assert found.amounts == (17_500,) * 6
    assert found.interest == (833, 833, 834, 833, 833, 834)
    # 100.00 at 12% flat over 7 months: 7.00 interest, 107.00 in parts of 15.29 and a last one of 15.26
    assert schedule_of(10_000, 0.12, 7, Interest.flat).amounts == (*[1_529] * 6, 1_526)


def test_without_interest_the_amount_is_divided() -> None:
    for interest in Interest:
        found = schedule_of(1_000, 0.0, 3, interest)
        assert (found.amounts, found.interest) == ((333, 333, 334), (0, 0, 0))


def test_half_a_minor_unit_goes_where_the_rounding_says() -> None:
    # 1% of 50 and of 150 minor units: 0.5 and 1.5
    halves = [schedule_of(amount, 0.12, 1, rounding=one).interest for one in Rounding for amount in (50, 150)]
    assert halves == [(0,), (2,), (1,), (2,)]


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6), st.sampled_from(Rounding))
def test_quotients_are_those_of_decimal_arithmetic(numerator: int, denominator: int, rounding: Rounding) -> None:
    numerator = abs(numerator)
    assert divided(numerator, denominator, rounding) == rounded(Fraction(numerator, denominator), rounding)


@given(st.integers(1, 10**10), MILLIONTHS, TERMS, st.sampled_from(Interest), st.sampled_from(Rounding))
def test_every_schedule_sums_to_what_is_owed(
    principal: int, millionths: int, term: int, interest: Interest, rounding: Rounding
) -> None:
    found = schedule_of(principal, millionths / 1e6, term, interest, rounding)
    assert len(found.amounts) == term
    assert sum(found.principal) == principal
    assert min(found.principal + found.interest) >= 0
    assert sum(found.amounts) == principal + sum(found.interest)


@given(st.integers(10**4, 10**9), MILLIONTHS, TERMS, st.sampled_from(Rounding))
@example(10_000, 1_999_051, 45, Rounding.half_even)  # rounded up, at 17% a month, it is repaid before its last month
def test_an_annuity_asks_each_months_interest_on_what_is_owed_and_only_the_last_instalment_differs(
    principal: int, millionths: int, term: int, rounding: Rounding
) -> None:
    found = schedule_of(principal, millionths / 1e6, term, rounding=rounding)
    rate = Fraction(millionths, 12 * 10**6)
    assert found.interest == tuple(rounded(balance * rate, rounding) for balance in found.owed)
    # Each month rounds at most once up and once down, and what is rounded bears interest.
    moved, each = sum((1 + rate) ** month for month in range(term)), principal * annuity_factor(float(rate), term)
    asked = [amount for amount in found.amounts if amount]  # where rounding repays early, the last ones are 0
    assert found.amounts == (*asked, *[0] * (term - len(asked)))
    assert len(set(asked[:-1])) <= 1
    if len(asked) < term:
        assert moved + 1 >= each
    else:
        assert abs(asked[-1] - each) <= moved + 1


@given(st.integers(10**4, 10**9), MILLIONTHS, TERMS, st.sampled_from(Rounding))
def test_flat_interest_is_that_of_the_whole_term_in_equal_parts(
    principal: int, millionths: int, term: int, rounding: Rounding
) -> None:
    found = schedule_of(principal, millionths / 1e6, term, Interest.flat, rounding)
    assert sum(found.interest) == rounded(Fraction(principal * millionths * term, 12 * 10**6), rounding)
    assert len(set(found.amounts[:-1])) <= 1
    assert abs(found.amounts[-1] - found.amounts[0]) <= term
    assert max(found.interest) - min(found.interest[:-1] or found.interest) <= term


def test_a_few_minor_units_are_repaid_early_and_never_twice() -> None:
    # 13 in 24 parts of 0.54, which is 1
    found = schedule_of(13, 0.0, 24)
    assert found.amounts == (1,) * 13 + (0,) * 11


def test_an_amount_that_64_bits_do_not_hold_times_its_rate_is_right() -> None:
    found = schedule_of(10**15 + 1, 0.1, 12, Interest.flat)
    assert (sum(found.principal), sum(found.interest)) == (10**15 + 1, 10**14)


@pytest.mark.parametrize(("principal", "rate", "term"), [(0, 0.1, 3), (100, 0.1, 0), (100, -0.1, 3), (100, np.nan, 3)])
def test_a_loan_that_is_none_has_no_schedule(principal: int, rate: float, term: int) -> None:
    with pytest.raises(ValueError, match="a schedule needs"):
        schedule_of(principal, rate, term)
