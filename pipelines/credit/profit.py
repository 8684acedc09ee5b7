"""What approving pays: profit of loans whose outcome is known, expected profit of those whose is not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass
class Economics:
    """Shares of the amount lent, over the loan's life.

    A good loan earns `margin`, a bad one loses `loss_given_default`; each costs `funding_cost`.
    """

    loss_given_default: float = 0.6
    margin: float = 0.12
    funding_cost: float = 0.03


def profit(probability: Floats | NDArray[np.int8], amount: Floats, economics: Economics) -> Floats:
    """Return the profit of approving each application, shape (n,), in the unit of the amounts.

    amount (margin (1 - p) - loss_given_default p - funding_cost); p is the outcome (1 is bad) where it is known and the
    probability of bad where it is expected.

    >>> profit(np.array([0.0, 1.0, 0.1]), np.full(3, 100.0), Economics()).round(6).tolist()
    [9.0, -63.0, 1.8]
    """
    p = np.asarray(probability, np.float64)
    return amount * (economics.margin * (1 - p) - economics.loss_given_default * p - economics.funding_cost)
