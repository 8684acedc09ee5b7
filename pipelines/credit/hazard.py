"""From the PD of a performance window to that of any month and term: a monthly hazard by MOB, scaled to the PD.

A month here is an instalment: default at month k means that instalment k is the first that is never paid. No early
repayment is reckoned with, which overstates what long terms lose.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.credit.arrays import Floats
from pipelines.credit.loan import BadDefinition

DAYS_OF_MONTH = 365 / 12

SUREST = 1 - 1e-12
"""A PD above it counts as this: of a default that is certain within the window no shape could say in which month."""


def months_in_window(bad: BadDefinition, term: int) -> int:
    """Return how many instalments of a loan can turn it bad inside the window: all that the PD speaks about.

    Instalment k, due after k months, must be `days_past_due` days past due before the window closes. A loan of a term
    shorter than that has no more instalments than its term, so its PD is that of its whole life.

    >>> from pipelines.credit.loan import DEFINITIONS
    >>> [months_in_window(DEFINITIONS["dpd90_in_12_months"], term) for term in (3, 12, 24)]
    [3, 9, 9]
    >>> months_in_window(DEFINITIONS["dpd30_at_3_mob"], 12), months_in_window(DEFINITIONS["first_payment_default"], 12)
    (2, 1)
    """
    late = -int(-bad.days_past_due // DAYS_OF_MONTH)
    in_time = max(bad.window_months - late, 1)
    return min(1 if bad.first_instalment_only else in_time, term)


def survival(pd: float | Floats, window: int, shape: Sequence[float], months: int) -> Floats:
    """Return the chance that a loan is not in default after month 0, 1, ..., `months`; the last axis has months + 1.

    `pd` is the probability of default within the first `window` months, a number or shape (n,). `shape` is the hazard
    of month 1, 2, ... up to a factor; later months have that of the last. The hazards are proportional (Cox 1972): with
    H the cumulative sum of the shape, S(k) = (1 - pd)^(H(k) / H(window)), so that 1 - S(window) is the pd.

    Raises:
        ValueError: no shape, a negative or infinite hazard, or none within the window.

    >>> survival(0.19, 2, [1.0], 4).round(4).tolist()
    [1.0, 0.9, 0.81, 0.729, 0.6561]
    """
    shares = cumulative_shares(shape, window, months)
    return np.asarray(np.exp(np.multiply.outer(np.log1p(-np.minimum(pd, SUREST)), shares)))


def monthly_defaults(alive: Floats) -> Floats:
    """Return the probability to default in month 1, 2, ... of what `survival` returned: one less on the last axis.

    >>> monthly_defaults(survival(0.19, 2, [1.0], 3)).round(4).tolist()
    [0.1, 0.09, 0.081]
    """
    return np.asarray(-np.diff(alive, axis=-1))


def cumulative_shares(shape: Sequence[float], window: int, months: int) -> Floats:
    """Return the cumulative hazard after month 0 to `months` as a share of that of the window, shape (months + 1,).

    >>> cumulative_shares([3.0, 1.0], 2, 4).tolist()
    [0.0, 0.75, 1.0, 1.25, 1.5]
    """
    if not len(shape) or not all(0 <= one < np.inf for one in shape):
        raise ValueError(f"a hazard needs numbers of at least 0 by month, received {list(shape)}; declare one for each")
    longest = max(window, months)
    by_month = [*shape[:longest], *[shape[-1]] * (longest - len(shape))]
    sums = np.concatenate([[0.0], np.cumsum(by_month)])
    if sums[window] <= 0:
        raise ValueError(
            f"a PD can only be spread over months that have a hazard, received none in the first {window}; "
            "declare one above 0 there"
        )
    return np.asarray(sums[: months + 1] / sums[window])
