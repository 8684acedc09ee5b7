"""How loans are repaid: each instalment due, and when it was paid, if it was and that is known."""

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.draws import Draws, Flags, Floats, Ints
from pipelines.simulation.hazards import Hazards, late_seconds
from pipelines.simulation.loans import Loans
from pipelines.simulation.period import DAY, NEVER
from pipelines.simulation.requests import Requests
from pipelines.simulation.world import LONGEST_TERM, World

NONE = LONGEST_TERM + 1
WRITTEN_OFF_AFTER, WRITTEN_OFF_SHARE = 180 * DAY, 0.7
"""After the first unpaid instalment was due."""

EARLIEST = 3 * DAY
PARTIAL_SHARE, PARTIAL_WITHIN = 0.15, 20 * DAY


@dataclass(frozen=True)
class Schedule:
    """Instalments of all loans in order, shape (m,): seconds, minor units; `paid_at` is NEVER where nothing is known.

    `loan` is the place of the application. `written_off_at` has shape (k,), one value per application.
    """

    loan: Ints
    number: Ints
    due_at: Ints
    due_amount: Ints
    paid_at: Ints
    paid_amount: Ints
    written_off_at: Ints


def repay(world: World, requests: Requests, loans: Loans, price: Floats, chances: Hazards, draws: Draws) -> Schedule:
    """Return the whole schedule of each loan and the payments known at the end of the period.

    Instalment by instalment, while the loan runs: the customer stops for good, or pays off all that is left, or pays
    late (each instalment for itself), or pays in time.
    """
    fate, as_of = _fates(loans, chances, draws), world.period.ends_at
    loan, position = np.nonzero(chances.is_due & loans.is_disbursed[:, None])
    due_at, due_amount = chances.due_at[loan, position], _amounts(requests, price)[loan, position]
    paid_at = fate.paid_at[loan, position]
    share = fate.partial_share[loan, position]
    is_known = paid_at <= as_of
    paid = np.where(is_known, np.where(share > 0, (share * due_amount).astype(np.int64), due_amount), 0)
    written_off = np.where(fate.written_off_at <= as_of, fate.written_off_at, NEVER)
    return Schedule(loan, position + 1, due_at, due_amount, np.where(is_known, paid_at, NEVER), paid, written_off)


@dataclass(frozen=True)
class _Fates:
    """When each instalment will be paid, shape (k, 24), and the share of it where that is only a part."""

    paid_at: Ints
    partial_share: Floats
    written_off_at: Ints


def _fates(loans: Loans, chances: Hazards, draws: Draws) -> _Fates:
    stop, payoff = _ends(loans, chances, draws)
    paid_at = _payments(stop, payoff, chances, draws)
    paid_at, share = _with_parts(paid_at, chances, stop, draws)
    is_refunded = loans.refunded_at < NEVER
    # A refund settles all that is left, instead of what the customer would have done.
    paid_at = np.where(is_refunded[:, None], loans.refunded_at[:, None], paid_at)
    share = np.where(is_refunded[:, None], 0.0, share)
    is_off = (stop < NONE) & ~is_refunded & loans.is_disbursed
    is_off &= draws.uniform("written_off", len(stop)) < WRITTEN_OFF_SHARE
    return _Fates(paid_at, share, np.where(is_off, _at(chances.due_at, stop) + WRITTEN_OFF_AFTER, NEVER))


def _ends(loans: Loans, chances: Hazards, draws: Draws) -> tuple[Ints, Ints]:
    """Return the instalment at which each loan stops, and the one at which it is paid off; NONE where it is not."""
    shape = chances.due_at.shape
    stop = _first(chances.is_due & (draws.uniform("stops", shape) < chances.stops))
    payoff = _first(chances.is_due & (draws.uniform("pays_off", shape) < chances.pays_off))
    stop = np.where(loans.is_fraud, 1, np.where(stop <= payoff, stop, NONE))
    return stop, np.where(stop == NONE, payoff, NONE)


def _payments(stop: Ints, payoff: Ints, chances: Hazards, draws: Draws) -> Ints:
    """Return when each instalment is paid, NEVER from the one on at which the customer stops."""
    shape, number = chances.due_at.shape, np.arange(1, LONGEST_TERM + 1)
    in_time = chances.due_at - (EARLIEST * draws.uniform("early", shape) ** 3).astype(np.int64)
    late = chances.due_at + late_seconds(draws.uniform("late", shape))
    is_late = (draws.uniform("is_late", shape) < chances.is_late) & (number < payoff[:, None])
    paid_at = np.where(is_late, late, in_time)
    paid_at = np.where(number > payoff[:, None], _at(in_time, payoff)[:, None], paid_at)
    return np.where(number >= stop[:, None], NEVER, paid_at)


def _with_parts(paid_at: Ints, chances: Hazards, stop: Ints, draws: Draws) -> tuple[Ints, Floats]:
    """Return payments where some who stop still pay a part of the instalment they stop at."""
    rows = len(paid_at)
    is_part = (np.arange(1, LONGEST_TERM + 1) == stop[:, None]) & (draws.uniform("is_part", rows) < PARTIAL_SHARE)[
        :, None
    ]
    after = draws.within("part_after", 0, PARTIAL_WITHIN, rows)[:, None]
    share = (0.1 + 0.7 * draws.uniform("part", rows))[:, None]
    return np.where(is_part, chances.due_at + after, paid_at), np.where(is_part, share, 0.0)


def _first(happens: Flags) -> Ints:
    """Return the number of the first instalment at which something happens, NONE without one."""
    return np.where(happens.any(axis=1), happens.argmax(axis=1) + 1, NONE)


def _at(values: Ints, number: Ints) -> Ints:
    """Return each loan's value at an instalment; anything where there is none."""
    return np.take_along_axis(values, np.minimum(number, LONGEST_TERM)[:, None] - 1, axis=1)[:, 0]


def _amounts(requests: Requests, price: Floats) -> Ints:
    """Return equal instalments that sum exactly to the principal and its interest on the balance; cents come first."""
    term = requests.term
    owed = requests.principal + np.round(requests.principal * price * (term + 1) / 24).astype(np.int64)
    each, cents = np.divmod(owed, term)
    return np.asarray(each[:, None] + (np.arange(LONGEST_TERM) < cents[:, None]))
