"""From the PD of a performance window to that of any term: a hazard by instalment, scaled to the PD.

Default at instalment k means that it is the first that is never paid. Early repayment is not modelled, which overstates
the losses of long terms.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from pipelines.credit.arrays import Floats
from pipelines.credit.loan import BadDefinition
from pipelines.credit.periods import Period, Repayment

SUREST = 1 - 1e-12
"""A PD above it counts as this: of a default that is certain within the window no shape could say in which month."""


def instalments_in_window(bad: BadDefinition, term: int | None, repayment: Repayment | None = None) -> int:
    """Return how many instalments of a loan can turn it bad inside the window: all that its PD is about.

    Instalment k, due after k intervals, must be `days_past_due` days past due before the window closes; a month has a
    twelfth of 365 days. A loan has no more instalments than its term, so the PD of a short one is that of its whole
    life. A `term` of None is longer than the window. Loans are repaid monthly by default.

    >>> from pipelines.credit.loan import DEFINITIONS
    >>> [instalments_in_window(DEFINITIONS["dpd90_in_12_months"], term) for term in (3, 12, 24, None)]
    [3, 9, 9, 9]
    >>> instalments_in_window(DEFINITIONS["dpd30_at_3_mob"], 12)
    2
    >>> instalments_in_window(BadDefinition(14, window_days=60), 8, Repayment(Period.week, 2))
    3
    """
    repayment = repayment or Repayment()
    if bad.first_instalment_only or (repayment.every is None and term is None):
        return 1
    interval = repayment.interval(term or 1) * repayment.period.days
    in_time = max(int((_window_days(bad) - bad.days_past_due) // interval), 1)
    return in_time if term is None else min(in_time, repayment.instalments(term))


def _window_days(bad: BadDefinition) -> Fraction:
    return Fraction(bad.window_days) if bad.window_days is not None else (bad.window_months or 0) * Period.month.days


def survival(pd: float | Floats, window: int, shape: Sequence[float], instalments: int) -> Floats:
    """Return the chance that a loan is not in default after instalment 0, 1, ..., `instalments`: the last axis.

    `pd` is the probability of default within the first `window` instalments, a number or shape (n,). `shape` is the
    hazard at instalment 1, 2, ... up to a factor; later ones have that of the last. The hazards are proportional (Cox
    1972): with H the cumulative sum of the shape, S(k) = (1 - pd)^(H(k) / H(window)), so that 1 - S(window) is the pd.

    Raises:
        ValueError: no shape, a negative or infinite hazard, or none within the window.

    >>> survival(0.19, 2, [1.0], 4).round(4).tolist()
    [1.0, 0.9, 0.81, 0.729, 0.6561]
    """
    shares = cumulative_shares(shape, window, instalments)
    return np.asarray(np.exp(np.multiply.outer(np.log1p(-np.minimum(pd, SUREST)), shares)))


def monthly_defaults(alive: Floats) -> Floats:
    """Return the probability of default at instalment 1, 2, ... of what `survival` returned: one less on the last axis.

    >>> monthly_defaults(survival(0.19, 2, [1.0], 3)).round(4).tolist()
    [0.1, 0.09, 0.081]
    """
    return np.asarray(-np.diff(alive, axis=-1))


def cumulative_shares(shape: Sequence[float], window: int, instalments: int) -> Floats:
    """Return the cumulative hazard after instalment 0, 1, ... as shares of that of the window.

    >>> cumulative_shares([3.0, 1.0], 2, 4).tolist()
    [0.0, 0.75, 1.0, 1.25, 1.5]
    """
    if not len(shape) or not all(0 <= one < np.inf for one in shape):
        raise ValueError(
            f"a hazard needs numbers of at least 0 by instalment, received {list(shape)}; declare one for each"
        )
    longest = max(window, instalments)
    hazards = [*shape[:longest], *[shape[-1]] * (longest - len(shape))]
    sums = np.concatenate([[0.0], np.cumsum(hazards)])
    if sums[window] <= 0:
        raise ValueError(
            f"a PD can only be spread over instalments that have a hazard, received none in the first {window}; "
            "declare one above 0 there"
        )
    return np.asarray(sums[: instalments + 1] / sums[window])
