"""Loans in days and weeks: windows, labels, instalments inside the window and schedules, by hand and by law."""

from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.credit.annual_rate import RateConvention, annual_rate, dated_irr, interval_irr
from pipelines.credit.hazard import instalments_in_window
from pipelines.credit.instalments import Interest, schedule_of
from pipelines.credit.loan import BAD, GOOD, UNLABELLED, BadDefinition, LoanContract, Status, check, labels, statuses
from pipelines.credit.periods import Period, Repayment
from pipelines.errors import ConfigurationError
from tests.pipelines.credit.schedules import Payment, Schedule, columns

ONE_PAYMENT = Repayment(Period.day, None)
PAY_IN_4 = Repayment(Period.week, 2)
IN_60_DAYS = BadDefinition(14, window_days=60)


def days_after(start: str, days: int) -> str:
    return (date.fromisoformat(start) + timedelta(days=days)).isoformat()


def single(paid_after: int | None, disbursed: str = "2024-02-01", written_off_after: int | None = None) -> Schedule:
    """One payment due 30 days after the disbursement at noon."""
    due = f"{days_after(disbursed, 30)}T12:00"
    paid = None if paid_after is None else f"{days_after(disbursed, paid_after)}T12:00"
    off = None if written_off_after is None else f"{days_after(disbursed, written_off_after)}T12:00"
    return Schedule((Payment(due, paid),), disbursed_at=f"{disbursed}T12:00", written_off_at=off)


@pytest.mark.parametrize(
    ("loan", "status", "label"),
    [
        (single(30), Status.mature, GOOD),  # on the day
        (single(44), Status.mature, GOOD),  # at 14 days past due to the minute, settled by then
        (single(45), Status.mature, BAD),
        (single(None), Status.mature, BAD),
        (single(30, written_off_after=50), Status.mature, BAD),
        (single(30, written_off_after=61), Status.mature, GOOD),  # after the window
        (single(None, disbursed="2024-04-01"), Status.mature, BAD),  # 60 days: closes on 31 May at noon
        (single(None, disbursed="2024-04-02"), Status.immature, UNLABELLED),  # one day later
    ],
)
def test_a_single_payment_in_30_days_is_judged_60_days_after_it_was_lent(
    loan: Schedule, status: Status, label: int
) -> None:
    loans, instalments = columns(loan)
    contract = LoanContract(IN_60_DAYS, "2024-05-31T12:00", terms=[30], repayment=ONE_PAYMENT)
    check(contract)
    assert statuses(loans, instalments, contract).tolist() == [status]
    assert labels(loans, instalments, contract).tolist() == [label]


def test_a_write_off_counts_only_where_the_definition_says_so() -> None:
    loans, instalments = columns(single(30, written_off_after=50))
    for write_off, label in ((True, BAD), (False, GOOD)):
        bad = BadDefinition(14, window_days=60, write_off=write_off)
        assert labels(loans, instalments, LoanContract(bad, "2024-12-31")).tolist() == [label]


@pytest.mark.parametrize("missed", [1, 2, 3, 4])
def test_pay_in_4_every_two_weeks_by_hand(missed: int) -> None:
    # given four payments after 14, 28, 42 and 56 days, one of which never comes; the window closes after 60 days
    dues = [days_after("2024-02-01", 14 * number) for number in range(1, 5)]
    paid = [Payment(due, None if number == missed else due) for number, due in enumerate(dues, start=1)]
    loans, instalments = columns(Schedule(tuple(paid), disbursed_at="2024-02-01"))
    # then the first three can be 14 days past due by then: after 28, 42 and 56 days; the fourth only after 70
    found = labels(loans, instalments, LoanContract(IN_60_DAYS, "2024-06-01", terms=[8], repayment=PAY_IN_4))
    assert found.tolist() == [BAD if missed <= 3 else GOOD]
    assert instalments_in_window(IN_60_DAYS, 8, PAY_IN_4) == 3


@given(st.integers(1, 120), st.integers(1, 400), st.integers(1, 40), st.sampled_from([1, 2, 4]), st.booleans())
def test_the_instalments_of_a_window_in_days_are_those_that_can_turn_a_loan_bad(
    past_due: int, window: int, instalments: int, every: int, weekly: bool
) -> None:
    bad, repayment = (
        BadDefinition(past_due, window_days=window),
        Repayment(Period.week if weekly else Period.day, every),
    )
    days = every * (7 if weekly else 1)
    by_hand = [number for number in range(1, instalments + 1) if number * days + past_due <= window]
    assert instalments_in_window(bad, instalments * every, repayment) == max(len(by_hand), 1)


@given(st.integers(1, 300), st.integers(1, 24), st.integers(1, 60))
def test_monthly_loans_have_the_instalments_in_their_window_that_they_always_had(
    past_due: int, window: int, term: int
) -> None:
    late = ceil(Fraction(past_due) / Fraction(365, 12))
    assert instalments_in_window(BadDefinition(past_due, window), term) == min(max(window - late, 1), term)


def test_one_payment_is_all_that_a_window_holds() -> None:
    assert [instalments_in_window(IN_60_DAYS, term, ONE_PAYMENT) for term in (14, 30, None)] == [1, 1, 1]


def rounded(value: Fraction) -> int:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))


@given(st.integers(1, 10**9), st.integers(0, 10**6), st.integers(1, 365), st.sampled_from(Interest))
def test_one_payment_repays_the_principal_and_the_interest_of_its_days(
    principal: int, millionths: int, days: int, interest: Interest
) -> None:
    found = schedule_of(principal, millionths / 1e6, days, interest, repayment=ONE_PAYMENT)
    assert found.principal == (principal,)
    assert found.interest == (rounded(Fraction(principal * millionths * days, 365 * 10**6)),)


def test_pay_in_4_without_interest_is_four_equal_parts() -> None:
    assert schedule_of(10_001, 0.0, 8, repayment=PAY_IN_4).amounts == (2_500, 2_500, 2_500, 2_501)


@given(st.integers(10**4, 10**8), st.integers(0, 10**6), st.integers(1, 26))
def test_instalments_every_two_weeks_ask_the_interest_of_two_weeks(
    principal: int, millionths: int, instalments: int
) -> None:
    found = schedule_of(principal, millionths / 1e6, 2 * instalments, repayment=PAY_IN_4)
    assert len(found.amounts) == instalments
    assert sum(found.principal) == principal
    rate = Fraction(2 * millionths, 52 * 10**6)
    assert found.interest == tuple(rounded(balance * rate) for balance in found.owed)
    assert len(set(found.amounts[:-1])) <= 1


@given(st.floats(0.01, 2), st.integers(1, 365))
def test_the_rate_of_one_payment_is_that_of_its_date(rate: float, days: int) -> None:
    # the effective rate counts days over 365, as annex I of Directive 2008/48/EC does
    payment = 1_000 * (1 + rate * days / 365)
    found = annual_rate(interval_irr(1_000, [payment]), RateConvention.effective, ONE_PAYMENT.a_year(days))
    assert found == pytest.approx(dated_irr(1_000, [payment], [days]), rel=1e-9)
    nominal = annual_rate(interval_irr(1_000, [payment]), RateConvention.nominal, ONE_PAYMENT.a_year(days))
    assert nominal == pytest.approx(rate, rel=1e-9)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"bad": BadDefinition(14)}, "loan.bad has no window; set one of window_months and window_days"),
        ({"bad": BadDefinition(14, 2, window_days=60)}, "has window_months=2 and window_days=60; set one"),
        ({"bad": BadDefinition(14, window_days=0)}, "bad.window_days must be at least 1, received 0"),
        ({"bad": BadDefinition(14, window_days=13)}, "received 14 days in 13 days; raise loan.bad.window_days"),
        ({"terms": []}, r"terms must be whole days from 1 to 3,660 in rising order, received \[\]"),
        ({"terms": [30, 14]}, "in rising order"),
        ({"terms": [0]}, "from 1 to"),
        ({"terms": [5], "repayment": PAY_IN_4}, "multiples of every=2 weeks"),
        ({"repayment": Repayment(Period.day, 0)}, "loan.repayment.every must be at least 1, received 0"),
    ],
)
def test_a_contract_that_contradicts_itself_is_refused(changed: dict[str, object], message: str) -> None:
    settings = {"bad": IN_60_DAYS, "as_of": "2024-06-01", "terms": [30], "repayment": ONE_PAYMENT} | changed
    with pytest.raises(ConfigurationError, match=message):
        check(LoanContract(**settings))  # type: ignore[arg-type]
