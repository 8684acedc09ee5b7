"""What may happen at each instalment (stopping, paying off early, paying late), and the true PD that follows."""

from dataclasses import dataclass

import numpy as np

from pipelines.credit.loan import BadDefinition, window_end
from pipelines.simulation.draws import Flags, Floats, Ints, logistic
from pipelines.simulation.period import DAY, add_months, month_of
from pipelines.simulation.requests import MONTHLY_INCOME, Requests
from pipelines.simulation.shoppers import Shoppers
from pipelines.simulation.world import LONGEST_TERM, World

STOP_LEVEL, STOP_BY_PRUDENCE, STOP_BY_INCOME, STOP_BY_BURDEN, STOP_BY_SHOCK = -4.45, -0.8, -0.5, 0.35, 1.3
STOP_AT_ONCE, STOP_LATER = 0.5, -0.04
"""Those who never meant to pay stop at the first instalment; from month to month the others are proven."""

LATE_LEVEL, LATE_BY_SHOCK = -3.1, 0.8
PAYOFF_LEVEL, PAYOFF_BY_PRUDENCE = -3.6, 0.25
USUAL_BURDEN = -4.3
"""Log share of the monthly income that an instalment takes."""

FRAUD_STOPS = 0.93
"""Of fraudsters at the first instalment."""

LATEST, LATE_POWER = 89, 3.0
"""Days: who pays late cures before 90 days; the power makes short delays the more frequent."""


@dataclass(frozen=True)
class Hazards:
    """Chances at instalments 1 to 24 of k loans, shape (k, 24), given that the loan still runs; `due_at` in seconds.

    `pays_off` is given that it is paid, `is_late` given that it is paid and the loan goes on. Beyond the term nothing
    is due: `is_due` tells.
    """

    due_at: Ints
    is_due: Flags
    stops: Floats
    pays_off: Floats
    is_late: Floats


def hazards(world: World, shoppers: Shoppers, requests: Requests, disbursed_at: Ints) -> Hazards:
    """Return the chances of loans disbursed at given moments, given the customers' latents and the economy."""
    owner = requests.owner
    number = np.arange(1, LONGEST_TERM + 1)
    due_at = add_months(disbursed_at[:, None], number[None, :])
    month = np.minimum(month_of(due_at) - world.period.first, len(world.economy) - 1)
    is_shocked = due_at >= shoppers.shock_at[owner][:, None]
    strain = world.slope[month] * _character(shoppers, requests)[:, None] + world.economy[month]
    proven = np.where(number == 1, STOP_AT_ONCE, STOP_LATER * number)
    stop = STOP_LEVEL + strain + STOP_BY_SHOCK * is_shocked + proven
    stops = logistic(stop)
    stops[:, 0] = np.where(shoppers.is_fraudster[owner], FRAUD_STOPS, stops[:, 0])
    late = LATE_LEVEL + strain + LATE_BY_SHOCK * is_shocked
    payoff = np.broadcast_to((PAYOFF_LEVEL + PAYOFF_BY_PRUDENCE * shoppers.prudence[owner])[:, None], stops.shape)
    return Hazards(due_at, number[None, :] <= requests.term[:, None], stops, logistic(payoff), logistic(late))


def late_seconds(draw: Floats) -> Ints:
    """Return how long after the due moment a late payment comes, from a uniform draw: 1 to 89 days."""
    return DAY + ((LATEST - 1) * DAY * draw**LATE_POWER).astype(np.int64)


def chance_later_than(days: int) -> float:
    """Return the chance that a late payment comes more than so many days after the due moment.

    >>> round(chance_later_than(30), 3), chance_later_than(90)
    (0.309, 0.0)
    """
    share = ((days - 1) * DAY + 1) / ((LATEST - 1) * DAY)
    return float(1 - min(max(share, 0.0), 1.0) ** (1 / LATE_POWER))


def true_pd(chances: Hazards, disbursed_at: Ints, bad: BadDefinition) -> Floats:
    """Return the probability of being bad for each loan, shape (k,), given the latents and the economy as it came.

    Instalment k turns a loan bad when it reaches the days past due inside the window: because the customer has stopped
    paying, or pays it too late. Before that the loan may have ended by an early payoff. With S_k the chance that a
    loan runs on unharmed past instalment k, stop chance d_k, payoff p_k, lateness l_k and q the share of late payments
    that are too late: PD = sum over k of S_(k-1) (d_k + (1 - d_k)(1 - p_k) l_k q).
    """
    closes_at = window_end(disbursed_at.astype("M8[s]").astype("M8[us]"), bad).astype("M8[s]").astype(np.int64)
    counts = chances.is_due & (chances.due_at + bad.days_past_due * DAY <= closes_at[:, None])
    if bad.first_instalment_only:
        counts[:, 1:] = False
    goes_on = (1 - chances.stops) * (1 - chances.pays_off)
    too_late = chances.is_late * chance_later_than(bad.days_past_due)
    turns = np.where(counts, chances.stops + goes_on * too_late, 0.0)
    unharmed = np.cumprod(goes_on * (1 - too_late), axis=1)
    before = np.concatenate([np.ones((len(turns), 1)), unharmed[:, :-1]], axis=1)
    return np.asarray((before * turns).sum(axis=1))


def _character(shoppers: Shoppers, requests: Requests) -> Floats:
    """Return what the customer's latents and the loan add to the log-odds of stopping and of being late."""
    burden = np.log(requests.principal / requests.term / MONTHLY_INCOME) - requests.income - USUAL_BURDEN
    return np.asarray(
        STOP_BY_PRUDENCE * shoppers.prudence[requests.owner]
        + STOP_BY_INCOME * requests.income
        + STOP_BY_BURDEN * burden
    )
