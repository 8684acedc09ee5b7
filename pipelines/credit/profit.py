"""Profit of approved loans: observed where the outcome is known, expected elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.arrays import Floats
from pipelines.credit.rates import weighted_rate, wilson_interval

CONFIDENCE = 0.95
"""Confidence of the intervals of a table of cut-offs."""


@dataclass
class Economics:
    """What a loan earns and costs, as shares of the amount lent over the loan's life."""

    loss_given_default: float = 0.6
    """Loss on a bad loan."""
    margin: float = 0.12
    """Earnings on a good loan."""
    funding_cost: float = 0.03
    """Funding cost of any loan."""


def profit(probability: Floats | NDArray[np.int8], amount: Floats, economics: Economics) -> Floats:
    """Return the profit of approving each application, shape (n,), in the unit of the amounts.

    amount (margin (1 - p) - loss_given_default p - funding_cost); p is the outcome (1 is bad) where it is known and the
    probability of bad where it is expected.

    >>> profit(np.array([0.0, 1.0, 0.1]), np.full(3, 100.0), Economics()).round(6).tolist()
    [9.0, -63.0, 1.8]
    """
    p = np.asarray(probability, np.float64)
    return amount * (economics.margin * (1 - p) - economics.loss_given_default * p - economics.funding_cost)


def observed_profit(
    bad: NDArray[np.int8], amount: Floats, economics: Economics, confidence: float
) -> tuple[float, float, float]:
    """Return the profit of loans whose outcome is known and its interval, in the unit of the amounts.

    Both of shape (n,). The profit is a straight line in the share of the amount that went bad, so its interval is that
    of the share (see `weighted_rate`): where few or no loans went bad it is wide to the side of loss.

    >>> found = observed_profit(np.array([0, 0, 0, 1], dtype=np.int8), np.full(4, 100.0), Economics(), 0.95)
    >>> [round(one, 1) for one in found]
    [-36.0, -165.4, 22.9]
    """
    if not len(bad):
        return 0.0, 0.0, 0.0
    lent = float(amount.sum())
    value, low, high = (
        float(profit(np.array([rate]), np.array([lent]), economics)[0])
        for rate in np.array(weighted_rate(bad, amount, confidence))[[0, 2, 1]]
    )
    return value, low, high


@dataclass(frozen=True)
class CutOff:
    """The effect of one cut-off on all applications.

    Of applications from `approve_from` points on: their share, their bad rate and what they earn per unit of the amount
    that all asked for, each of the latter two with its interval and None where no outcome is known.
    """

    approve_from: int
    is_policy: bool
    approval_rate: float
    bad_rate: float | None
    bad_rate_low: float | None
    bad_rate_high: float | None
    profit: float | None
    profit_low: float | None
    profit_high: float | None


def cutoff_table(
    bad: NDArray[np.int8],
    points: NDArray[np.int64],
    amount: Floats,
    economics: Economics,
    cutoffs: Iterable[int],
    *,
    policy: int,
) -> list[CutOff]:
    """Return the cut-offs, the policy's own among them, in ascending order.

    `bad` is 1, 0, or -1 where the outcome is not known; all of shape (n,). The approval rate counts all who asked; bad
    rates and profit count those with an outcome only, and so does the amount that the profit is divided by.
    """
    matured = bad >= 0
    total = float(amount[matured].sum())
    return [
        _cutoff(one, points >= one, bad, amount, economics, total=total, is_policy=one == policy)
        for one in sorted({*cutoffs, policy})
    ]


def _cutoff(
    approve_from: int,
    approved: NDArray[np.bool_],
    bad: NDArray[np.int8],
    amount: Floats,
    economics: Economics,
    *,
    total: float,
    is_policy: bool,
) -> CutOff:
    matured = approved & (bad >= 0)
    rows, bads = int(matured.sum()), int((bad[matured] == 1).sum())
    rates = (bads / rows, *wilson_interval(bads, rows, CONFIDENCE)) if rows else (None, None, None)
    profits = observed_profit(bad[matured], amount[matured], economics, CONFIDENCE)
    earned = [one / total for one in profits] if total else []
    return CutOff(approve_from, is_policy, float(approved.mean()), *rates, *(earned or (None, None, None)))
