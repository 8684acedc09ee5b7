"""Vintages: a table worked by hand, the label at the window's end, and an oracle that counts one cell at a time."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.credit.loan import (
    DEFINITIONS,
    BadDefinition,
    LoanContract,
    Status,
    labels,
    statuses,
    turned_bad_at,
)
from pipelines.credit.periods import Period
from pipelines.credit.vintage import vintage_table
from tests.pipelines.credit.schedules import Payment, Schedule, columns, random_loans, shuffled


def test_a_table_worked_by_hand() -> None:
    # given five loans that ran, and three that did not, seen on 20 April 2023
    loans, instalments = columns(
        Schedule((Payment("2023-02-10"),), disbursed_at="2023-01-10"),  # 30 days late on 12 March: by MOB 3
        Schedule((Payment("2023-02-10", "2023-02-10"),), disbursed_at="2023-01-10"),
        Schedule((Payment("2023-01-29"),), disbursed_at="2023-01-28"),  # on 28 February, its MOB 1 exactly
        Schedule((Payment("2023-03-01"),), disbursed_at="2023-02-01", written_off_at="2023-02-01"),  # at once
        Schedule((Payment("2023-03-25"),), disbursed_at="2023-02-25"),  # late on 24 April: not seen yet
        Schedule(disbursed_at=None),
        Schedule(approved=False, disbursed_at=None),
        Schedule((Payment("2023-02-10"),), disbursed_at="2023-01-10", fraud_confirmed_at="2023-02-01"),
    )
    # when
    table = vintage_table(loans, instalments, LoanContract(BadDefinition(30, 12), "2023-04-20"))
    # then
    assert table.month.tolist() == [np.datetime64("2023-01").item(), np.datetime64("2023-02").item()]
    assert table.observed.tolist() == [[3, 3, 3, 2], [2, 2, 1, 0]]
    assert table.bad.tolist() == [[0, 1, 1, 1], [1, 1, 1, 0]]


def test_without_a_loan_there_is_no_vintage() -> None:
    loans, instalments = columns(Schedule(disbursed_at=None))
    table = vintage_table(loans, instalments, LoanContract(BadDefinition(30, 12), "2023-04-20"))
    assert table.observed.shape == table.bad.shape == (0, 0)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(DEFINITIONS)))
def test_at_the_end_of_the_window_a_vintage_is_the_mean_of_its_labels(seed: int, definition: str) -> None:
    loans, instalments = random_loans(seed, 200)
    contract = LoanContract(DEFINITIONS[definition], "2023-09-15")
    table = vintage_table(loans, instalments, contract)
    label = labels(loans, instalments, contract)
    mature = pd.Series(label[label >= 0]).groupby(loans.disbursed_at[label >= 0].astype("datetime64[M]").astype(str))
    window = contract.bad.window_months
    months = [str(month) for month in table.month]
    assert (
        dict(zip(months, table.observed[:, window], strict=True))
        == mature.size().reindex(months, fill_value=0).to_dict()
    )
    assert dict(zip(months, table.bad[:, window], strict=True)) == mature.sum().reindex(months, fill_value=0).to_dict()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_count_of_one_cell_at_a_time_agrees(seed: int) -> None:
    loans, instalments = random_loans(seed, 60)
    contract, as_of = LoanContract(BadDefinition(30, 12), "2023-03-31"), pd.Timestamp("2023-03-31")
    ran = statuses(loans, instalments, contract) >= Status.immature
    starts = pd.Series(loans.disbursed_at[ran])
    turned = pd.Series(turned_bad_at(loans, instalments, contract.bad)[ran])
    table = vintage_table(loans, instalments, contract)
    month = starts.dt.to_period("M").astype(str)
    for column in range(table.bad.shape[1]):
        ends = starts + pd.DateOffset(months=column)
        for row, name in enumerate(table.month):
            old_enough = (month == str(name)) & (ends <= as_of)
            assert table.observed[row, column] == old_enough.sum()
            assert table.bad[row, column] == (old_enough & (turned <= ends)).sum()


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_instalments_changes_nothing(seed: int) -> None:
    loans, instalments = random_loans(seed, 100)
    contract = LoanContract(BadDefinition(30, 12), "2023-09-15")
    one, other = (vintage_table(loans, each, contract) for each in (instalments, shuffled(instalments, seed)))
    assert (one.bad == other.bad).all()
    assert (one.observed == other.observed).all()


def test_windows_in_days_have_vintages_by_week() -> None:
    # given three loans of one day, due after 14 days, seen on the 35th day; the first is 14 days late on day 28
    start = "2024-02-01"
    due = str(np.datetime64(start) + 14)
    loans, instalments = columns(
        Schedule((Payment(due),), disbursed_at=start),
        Schedule((Payment(due, due),), disbursed_at=start),
        Schedule((Payment(due),), disbursed_at=start, written_off_at=str(np.datetime64(start) + 20)),
    )
    contract = LoanContract(BadDefinition(14, window_days=60), str(np.datetime64(start) + 35))
    table = vintage_table(loans, instalments, contract)
    assert (table.period, table.observed.tolist()) == (Period.week, [[3] * 6])
    # then day 20 is in the third week, and day 28 is the end of the fourth
    assert table.bad.tolist() == [[0, 0, 0, 1, 2, 2]]


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30))
def test_at_the_end_of_a_window_of_weeks_a_vintage_is_the_mean_of_its_labels(seed: int, weeks: int) -> None:
    loans, instalments = random_loans(seed, 200)
    contract = LoanContract(BadDefinition(10, window_days=7 * weeks), "2023-09-15")
    table, label = vintage_table(loans, instalments, contract), labels(loans, instalments, contract)
    assert table.observed[:, weeks].sum() == (label >= 0).sum()
    assert table.bad[:, weeks].sum() == (label == 1).sum()
