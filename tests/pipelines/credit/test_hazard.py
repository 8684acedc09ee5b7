"""A PD taken to other months: by hand, in closed form, by law, and against the loan contract and the simulation."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.credit.hazard import instalments_in_window, monthly_defaults, survival
from pipelines.credit.loan import BAD, DEFINITIONS, BadDefinition, LoanContract, labels
from pipelines.policy.offer_settings import SIMULATED_SHAPE
from pipelines.simulation.hazards import STOP_AT_ONCE, STOP_LATER
from tests.pipelines.credit.schedules import Payment, Schedule, columns

PDS = st.floats(0, 1)
WINDOWS = st.integers(1, 24)
SHAPES = st.lists(st.floats(0.01, 10), min_size=1, max_size=24)


def test_a_constant_hazard_has_a_closed_form() -> None:
    months = np.arange(25)
    assert survival(0.1, 12, [7.0], 24) == pytest.approx(0.9 ** (months / 12))


def test_a_falling_hazard_by_hand() -> None:
    # hazards of 2, 1, 1, ...: 3 units in a window of two months, whose survival is 0.512 = 0.8^3
    alive = survival(0.488, 2, [2.0, 1.0], 4)
    assert alive == pytest.approx([1, 0.64, 0.512, 0.4096, 0.32768])
    assert monthly_defaults(alive) == pytest.approx([0.36, 0.128, 0.1024, 0.08192])


@given(PDS, WINDOWS, SHAPES)
def test_at_its_own_window_the_pd_is_itself(pd: float, window: int, shape: list[float]) -> None:
    assert 1 - survival(pd, window, shape, window)[-1] == pytest.approx(pd, abs=1e-11)


@given(PDS, PDS, WINDOWS, SHAPES)
def test_more_risk_and_more_months_never_default_less(pd: float, other: float, window: int, shape: list[float]) -> None:
    low, high = (survival(one, window, shape, 36) for one in sorted((pd, other)))
    assert (high <= low).all()
    assert (np.diff(low) <= 0).all()
    assert ((low >= 0) & (low <= 1)).all()


@given(PDS, WINDOWS, st.integers(1, 36), SHAPES)
def test_monthly_defaults_are_all_there_is(pd: float, window: int, term: int, shape: list[float]) -> None:
    defaults = monthly_defaults(survival(pd, window, shape, term))
    assert defaults.sum() == pytest.approx(1 - survival(pd, window, shape, term)[-1], abs=1e-11)


@given(st.floats(0, 0.999), WINDOWS, st.integers(1, 36), SHAPES)
def test_a_pd_taken_to_a_term_and_back_is_the_same(pd: float, window: int, term: int, shape: list[float]) -> None:
    there = 1 - survival(pd, window, shape, term)[-1]
    if there < 0.999:
        assert 1 - survival(there, term, shape, window)[-1] == pytest.approx(pd, rel=1e-6, abs=1e-11)


@given(st.floats(0.001, 0.999), WINDOWS, SHAPES, st.floats(0.01, 100))
def test_only_the_shape_of_the_hazard_counts(pd: float, window: int, shape: list[float], factor: float) -> None:
    scaled = [factor * one for one in shape]
    assert survival(pd, window, scaled, 30) == pytest.approx(survival(pd, window, shape, 30), rel=1e-9)


def test_many_loans_have_what_each_has_alone() -> None:
    pds = np.array([0.0, 0.02, 0.3, 1.0])
    together = survival(pds, 9, SIMULATED_SHAPE, 24)
    assert together.shape == (4, 25)
    for pd, alive in zip(pds.tolist(), together, strict=True):
        assert alive == pytest.approx(survival(pd, 9, SIMULATED_SHAPE, 24))


def latest_instalment_that_turns_bad(disbursed: str, bad: BadDefinition) -> int:
    """Return the last instalment at which a customer may stop and still be bad inside the window, from the contract."""
    start = np.datetime64(disbursed, "M")
    day = disbursed[-2:]
    found = 0
    for stop in range(1, 13):
        dues = [f"{start + number}-{day}" for number in range(1, 13)]
        paid = [Payment(due, due) if number < stop else Payment(due) for number, due in enumerate(dues, start=1)]
        loans, instalments = columns(Schedule(tuple(paid), disbursed_at=disbursed))
        if labels(loans, instalments, LoanContract(bad, "2027-01-01"))[0] == BAD:
            found = stop
    return found


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_months_of_a_window_are_those_of_the_loan_contract(name: str) -> None:
    bad = DEFINITIONS[name]
    days = [f"20{year}-{month:02d}-{day}" for year in (22, 23) for month in range(1, 13) for day in (10, 25)]
    found = [latest_instalment_that_turns_bad(one, bad) for one in days]
    usual = instalments_in_window(bad, 12)
    assert max(set(found), key=found.count) == usual
    assert {abs(one - usual) for one in found} <= {0, 1}  # months have 28 to 31 days


def test_a_window_holds_no_more_instalments_than_the_loan() -> None:
    bad = DEFINITIONS["dpd90_in_12_months"]
    assert [instalments_in_window(bad, term) for term in (1, 3, 9, 24)] == [1, 3, 9, 9]
    assert instalments_in_window(replace(bad, days_past_due=360), 24) == 1
    assert instalments_in_window(replace(bad, window_months=24), 24) == 21


def test_the_default_shape_is_that_of_the_simulated_marketplace() -> None:
    number = np.arange(1, 25)
    odds = np.exp(np.where(number == 1, STOP_AT_ONCE, STOP_LATER * number))
    assert pytest.approx(odds, abs=0.006) == SIMULATED_SHAPE


@pytest.mark.parametrize(("shape", "window"), [([], 1), ([-1.0], 1), ([np.inf], 1), ([np.nan], 1), ([0.0, 1.0], 1)])
def test_a_shape_without_a_hazard_is_refused(shape: list[float], window: int) -> None:
    with pytest.raises(ValueError, match="hazard"):
        survival(0.1, window, shape, 3)
