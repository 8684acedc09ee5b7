"""Vintages: how much of each month's lending had gone bad after so many months on book."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.arrays import Wholes
from pipelines.credit.loan import (
    Instalments,
    LoanContract,
    Loans,
    Status,
    add_months,
    months_on_book,
    statuses,
    turned_bad_at,
)


@dataclass(frozen=True)
class VintageTable:
    """A row per month of disbursement, a column per month on book from 0 on.

    `month` has the type datetime64[M], shape (v,). `observed` counts the loans that were on book that long by the as-of
    date, `bad` those of them that had met the bad definition by then; both of shape (v, months).
    """

    month: NDArray[np.datetime64]
    observed: Wholes
    bad: Wholes


def vintage_table(loans: Loans, instalments: Instalments, contract: LoanContract) -> VintageTable:
    """Return the vintages of all loans that ran, mature or not.

    The bad definition counts without its window: each column is a window of its own. A loan counts in the columns it is
    old enough for, so the youngest cells of a month rest on the loans of its first days.
    """
    ran = statuses(loans, instalments, contract) >= Status.immature
    disbursed_at = loans.disbursed_at[ran]
    age = months_on_book(disbursed_at, np.full(len(disbursed_at), contract.known_until))
    bad_at = turned_bad_at(loans, instalments, contract.bad)[ran]
    turned = np.flatnonzero(~np.isnat(bad_at))
    bad_from = _first_month_after(disbursed_at[turned], bad_at[turned])
    observed = bad_from <= age[turned]
    month, row = np.unique(disbursed_at.astype("datetime64[M]"), return_inverse=True)
    shape = (len(month), int(age.max(initial=-1)) + 1)
    return VintageTable(
        month,
        observed=_present(shape, row, np.zeros_like(age), age),
        bad=_present(shape, row[turned][observed], bad_from[observed], age[turned][observed]),
    )


def _first_month_after(disbursed_at: NDArray[np.datetime64], at: NDArray[np.datetime64]) -> Wholes:
    whole = np.maximum(months_on_book(disbursed_at, at), 0)
    return whole + (add_months(disbursed_at, whole) < at)


def _present(shape: tuple[int, int], row: Wholes, first: Wholes, last: Wholes) -> Wholes:
    """Return how many spans cover each cell; a span lies in one row and has both ends."""
    rows, columns = shape
    width = columns + 1  # one more, for those that reach the end
    starts = np.bincount(row * width + first, minlength=rows * width)
    ends = np.bincount(row * width + last + 1, minlength=rows * width)
    return (starts - ends).reshape(rows, width).cumsum(axis=1)[:, :columns]
