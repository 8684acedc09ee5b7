"""The true probability of being bad, in closed form: conditional on the latents and on the economy as it came."""

import numpy as np

from pipelines.credit.loan import BadDefinition
from pipelines.simulation.draws import Floats, Ints
from pipelines.simulation.hazards import Hazards, chance_later_than
from pipelines.simulation.period import DAY, add_months


def true_pd(hazards: Hazards, disbursed_at: Ints, bad: BadDefinition) -> Floats:
    """Return the probability of being bad for each loan, shape (k,).

    Instalment k turns a loan bad when it reaches the days past due inside the window: because the customer has stopped
    paying, or pays it too late. Before that the loan may have ended by an early payoff. With S_k the chance that a
    loan runs on unharmed past instalment k, stop chance d_k, payoff p_k, lateness l_k and q the share of late payments
    that are too late: PD = sum over k of S_(k-1) (d_k + (1 - d_k)(1 - p_k) l_k q).
    """
    counts = hazards.is_due & (hazards.due_at + bad.days_past_due * DAY <= _window_end(disbursed_at, bad))
    if bad.first_instalment_only:
        counts[:, 1:] = False
    goes_on = (1 - hazards.stops) * (1 - hazards.pays_off)
    too_late = hazards.is_late * chance_later_than(bad.days_past_due)
    turns = np.where(counts, hazards.stops + goes_on * too_late, 0.0)
    unharmed = np.cumprod(goes_on * (1 - too_late), axis=1)
    before = np.concatenate([np.ones((len(turns), 1)), unharmed[:, :-1]], axis=1)
    return np.asarray((before * turns).sum(axis=1))


def _window_end(disbursed_at: Ints, bad: BadDefinition) -> Ints:
    return add_months(disbursed_at, bad.window_months)[:, None]
