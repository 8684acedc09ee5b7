"""Vintages: how much of each month's lending had gone bad after so many months, or weeks, on book."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.arrays import Times, Wholes
from pipelines.credit.loan import (
    Instalments,
    LoanContract,
    Loans,
    Status,
    add_months,
    known_bad_at,
    months_on_book,
    statuses,
)
from pipelines.credit.periods import Period

WEEK = np.timedelta64(7, "D")


@dataclass(frozen=True)
class VintageTable:
    """A row per month of disbursement, a column per month on book from 0 on, or per week where windows are in days.

    `month` has the type datetime64[M], shape (v,). `observed` counts the loans that were on book that long by the as-of
    date, `bad` those of them that had met the bad definition by then; both of shape (v, ages). Ages are in `period`.
    """

    month: NDArray[np.datetime64]
    observed: Wholes
    bad: Wholes
    period: Period = Period.month


def vintage_table(loans: Loans, instalments: Instalments, contract: LoanContract) -> VintageTable:
    """Return the vintages of all loans that ran, mature or not.

    The bad definition counts without its window: each column is a window of its own. A loan counts in the columns it is
    old enough for, so the youngest cells of a month rest on the loans of its first days.
    """
    ran = statuses(loans, instalments, contract) >= Status.immature
    disbursed_at = loans.disbursed_at[ran]
    period = Period.month if contract.bad.window_days is None else Period.week
    age = _age(disbursed_at, np.full(len(disbursed_at), contract.known_until), period)
    bad_at = known_bad_at(loans, instalments, contract)[ran]
    turned = np.flatnonzero(~np.isnat(bad_at))
    bad_from = _first_age_after(disbursed_at[turned], bad_at[turned], period)
    observed = bad_from <= age[turned]
    month, row = np.unique(disbursed_at.astype("datetime64[M]"), return_inverse=True)
    shape = (len(month), int(age.max(initial=-1)) + 1)
    return VintageTable(
        month,
        observed=_present(shape, row, np.zeros_like(age), age),
        bad=_present(shape, row[turned][observed], bad_from[observed], age[turned][observed]),
        period=period,
    )


def _age(disbursed_at: Times, at: Times, period: Period) -> Wholes:
    if period is Period.month:
        return months_on_book(disbursed_at, at)
    return np.asarray((at - disbursed_at) // WEEK)


def _first_age_after(disbursed_at: Times, at: Times, period: Period) -> Wholes:
    """Return the first age whose end is not before a moment."""
    whole = np.maximum(_age(disbursed_at, at, period), 0)
    ends = add_months(disbursed_at, whole) if period is Period.month else disbursed_at + whole * WEEK
    return np.asarray(whole + (ends < at))


def _present(shape: tuple[int, int], row: Wholes, first: Wholes, last: Wholes) -> Wholes:
    """Return how many spans cover each cell; a span lies in one row and has both ends."""
    rows, columns = shape
    width = columns + 1  # one more, for those that reach the end
    starts = np.bincount(row * width + first, minlength=rows * width)
    ends = np.bincount(row * width + last + 1, minlength=rows * width)
    return (starts - ends).reshape(rows, width).cumsum(axis=1)[:, :columns]
