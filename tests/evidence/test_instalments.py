"""Schedules and annual percentage rates of random loans against numpy-financial, which shares no code with ours."""

from dataclasses import dataclass

import numpy as np
import numpy_financial

from pipelines.credit.annual_rate import interval_irr
from pipelines.credit.instalments import Interest, Rounding, Schedule, schedule_of
from tests.evidence.conftest import Evidence

FINE = 10**6
"""In a unit a million times smaller the rounding is a millionth: what is left is what the formulas differ by."""

BOUND_OF_PARTS = 1e-3
"""Minor units, of schedules in the fine unit: 120 roundings of a millionth, with interest."""

BOUND_OF_RATE = 1e-8


@dataclass(frozen=True)
class Loan:
    """Amount in minor units; the rate is nominal, for a year, in whole millionths; the fee is a share of the amount."""

    amount: int
    rate: float
    term: int
    fee: float
    rounding: Rounding


def random_loans(count: int) -> list[Loan]:
    """Return loans of 100.00 to 100,000.00 over 2 to 60 months at 0.1% to 60%.

    Of less, rounding up 60 times may repay before the last month: such loans have their own tests.
    """
    generator = np.random.default_rng(41)
    return [
        Loan(
            round(10 ** generator.uniform(4, 7)),
            int(generator.integers(1_000, 600_000)) / 1e6,
            int(generator.integers(2, 61)),
            float(generator.uniform(0, 0.05)),
            list(Rounding)[int(generator.integers(2))],
        )
        for _ in range(count)
    ]


def distance_of_parts(loan: Loan) -> float:
    """Return how far interest and principal lie from theirs before any rounding, in minor units, at most."""
    fine = schedule_of(loan.amount * FINE, loan.rate, loan.term, rounding=loan.rounding)
    months = np.arange(1, loan.term + 1)
    theirs = [
        -one(loan.rate / 12, months, loan.term, loan.amount) for one in (numpy_financial.ipmt, numpy_financial.ppmt)
    ]
    ours = [np.array(one) / FINE for one in (fine.interest, fine.principal)]
    return float(np.abs(np.subtract(ours, theirs)).max())


def instalments_differ(loan: Loan, schedule: Schedule) -> int:
    """Return how many instalments but the last are not theirs, rounded to the minor unit."""
    theirs = round(float(-numpy_financial.pmt(loan.rate / 12, loan.term, loan.amount)))
    return sum(one != theirs for one in schedule.amounts[:-1])


def is_exact(loan: Loan, schedule: Schedule) -> bool:
    """Return whether a schedule repays the amount, to the minor unit, and asks what it says."""
    is_repaid = sum(schedule.principal) == loan.amount and min(schedule.principal + schedule.interest) >= 0
    return is_repaid and sum(schedule.amounts) == loan.amount + sum(schedule.interest)


def distance_of_rate(loan: Loan, schedule: Schedule) -> float:
    """Return how far the monthly rate that the customer pays, fee included, lies from theirs."""
    received = loan.amount * (1 - loan.fee)
    return abs(interval_irr(received, schedule.amounts) - float(numpy_financial.irr([-received, *schedule.amounts])))


def test_schedules_and_rates_are_those_of_numpy_financial_and_sum_exactly(evidence: Evidence) -> None:
    loans = random_loans(evidence.size(full=1000, reduced=150))
    schedules = [schedule_of(one.amount, one.rate, one.term, rounding=one.rounding) for one in loans]
    flat = [schedule_of(one.amount, one.rate, one.term, Interest.flat, one.rounding) for one in loans]
    pairs = [*zip(loans, schedules, strict=True)]
    parts = max(distance_of_parts(one) for one in loans)
    differ = sum(instalments_differ(*pair) for pair in pairs)
    inexact = sum(not is_exact(*pair) for pair in [*pairs, *zip(loans, flat, strict=True)])
    rates = max(distance_of_rate(*pair) for pair in [*pairs, *zip(loans, flat, strict=True)])
    holds = parts <= BOUND_OF_PARTS and rates <= BOUND_OF_RATE and differ == inexact == 0
    evidence.record(
        "41-instalments",
        claim="schedules agree with numpy-financial before the last instalment's rounding, every one sums exactly to "
        "what is owed, and the rate paid with fees is numpy-financial's internal rate of return",
        value=f"{len(loans):,} random loans: {differ} instalments but the last differ, interest and principal before "
        f"rounding by at most {parts:.0e} minor units, monthly rates by {rates:.0e}; {inexact} of {2 * len(loans):,} "
        "schedules (annuity and flat) do not sum exactly",
        bound="0 instalments; at most 1e-3 minor units and 1e-8; 0 schedules",
        holds=holds,
    )
    assert holds, (parts, differ, inexact, rates)
