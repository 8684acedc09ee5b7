"""The swap set: whom a challenger would approve and decline instead of the champion, and what that is worth."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.arrays import Flags, Floats
from pipelines.credit.profit import Economics, observed_profit, profit
from pipelines.credit.rates import wilson_interval


@dataclass(frozen=True)
class Bounded:
    """A figure and its bounds."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Observed:
    """Swapped applications whose outcome is known, `by_lot` of them because the earlier policy approved at random.

    `profit` is per unit of their own amounts; None where there are none.
    """

    rows: int
    by_lot: int
    bad: int
    bad_rate: float | None
    low: float | None
    high: float | None
    profit: float | None
    profit_low: float | None
    profit_high: float | None


@dataclass(frozen=True)
class Inferred:
    """Swapped applications without an outcome: inferred from the models' PDs, with bounds for hidden differences."""

    rows: int
    bad_rate: float | None
    low: float | None
    high: float | None
    profit: float | None
    profit_low: float | None
    profit_high: float | None


@dataclass(frozen=True)
class Swapped:
    """Applications on which the two disagree one way; observed and inferred figures are never summed."""

    rows: int
    observed: Observed
    inferred: Inferred


@dataclass(frozen=True)
class SwapSet:
    """What changes when the challenger decides.

    `observed_change` is the profit of the newly approved less that of the newly declined, among applications with an
    outcome and per unit of the amount that all of those asked for; `observed_floor` lies below it with the confidence
    asked for, one-sided. `inferred_change` is the same among the others, per unit of theirs; its bounds are not a
    confidence interval but what hidden differences could do.
    """

    asked: int
    agree_approved: int
    agree_declined: int
    newly_approved: Swapped
    newly_declined: Swapped
    observed_change: Bounded
    observed_floor: float
    inferred_change: Bounded

    def record(self) -> dict[str, Any]:
        """Return the swap set as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Applications:
    """All applications, arrays of shape (n,).

    `bad` is the outcome: 1, 0, or -1 where it is not known. `by_lot` marks those whom the earlier policy approved at
    random. The PDs are those of the two models, `amount` is what was asked for.
    """

    bad: NDArray[np.int8]
    by_lot: Flags
    champion_pd: Floats
    challenger_pd: Floats
    amount: Floats

    def take(self, rows: Flags) -> "Applications":
        """Return some of them."""
        return Applications(
            self.bad[rows], self.by_lot[rows], self.champion_pd[rows], self.challenger_pd[rows], self.amount[rows]
        )


def swap_set(
    asked: Applications,
    champion: Flags,
    challenger: Flags,
    economics: Economics,
    *,
    hidden_odds: float,
    confidence: float = 0.95,
) -> SwapSet:
    """Return who changes sides between two decisions (True approves), shape (n,), and what that is worth.

    Where an outcome is known it is used; elsewhere the odds of bad are inferred to lie between those of the lower of
    the two PDs divided by `hidden_odds` and those of the higher times it (Rosenbaum 2002, chapter 4: the applicants
    without an outcome may differ from the approved by that factor in what no model saw), with their geometric mean as
    the value. Bad rates have Wilson's interval. The interval of the observed change joins those of the two groups by
    the method of variance estimates recovery (Zou and Donner 2008), which stays wide where few went bad.
    """
    approved, declined = (asked.take(rows) for rows in (challenger & ~champion, champion & ~challenger))
    matured = asked.bad >= 0
    return SwapSet(
        asked=len(champion),
        agree_approved=int((champion & challenger).sum()),
        agree_declined=int((~champion & ~challenger).sum()),
        newly_approved=_swapped(approved, economics, hidden_odds, confidence),
        newly_declined=_swapped(declined, economics, hidden_odds, confidence),
        observed_change=_observed_change(approved, declined, economics, asked.amount[matured].sum(), confidence),
        observed_floor=_observed_change(
            approved, declined, economics, asked.amount[matured].sum(), max(2 * confidence - 1, 0.0)
        ).low,
        inferred_change=_inferred_change(approved, declined, economics, asked.amount[~matured].sum(), hidden_odds),
    )


def hidden_bounds(group: Applications, hidden_odds: float) -> tuple[Floats, Floats, Floats]:
    """Return the inferred probabilities of bad: the value, the lowest and the highest, each of shape (n,).

    >>> one = np.array([0.2])
    >>> alike = Applications(np.array([-1], dtype=np.int8), np.array([False]), one, one, np.array([100.0]))
    >>> [round(float(bound[0]), 6) for bound in hidden_bounds(alike, 2.0)]  # odds 1/4, 1/8 and 1/2
    [0.2, 0.111111, 0.333333]
    """
    both = np.clip(np.stack([group.champion_pd, group.challenger_pd]), 1e-12, 1 - 1e-12)
    log_odds, hidden = np.log(both) - np.log1p(-both), np.log(hidden_odds)
    value, low, high = log_odds.mean(axis=0), log_odds.min(axis=0) - hidden, log_odds.max(axis=0) + hidden
    return _probability(value), _probability(low), _probability(high)


def _probability(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _swapped(group: Applications, economics: Economics, hidden_odds: float, confidence: float) -> Swapped:
    matured = group.bad >= 0
    return Swapped(
        len(group.bad),
        _observed(group.take(matured), economics, confidence),
        _inferred(group.take(~matured), economics, hidden_odds),
    )


def _observed(group: Applications, economics: Economics, confidence: float) -> Observed:
    rows, bads = len(group.bad), int(group.bad.sum())
    if not rows:
        return Observed(0, 0, 0, None, None, None, None, None, None)
    lent = group.amount.sum()
    earned = (float(one / lent) for one in observed_profit(group.bad, group.amount, economics, confidence))
    interval = wilson_interval(bads, rows, confidence)
    return Observed(rows, int(group.by_lot.sum()), bads, bads / rows, *interval, *earned)


def _inferred(group: Applications, economics: Economics, hidden_odds: float) -> Inferred:
    rows = len(group.bad)
    if not rows:
        return Inferred(0, None, None, None, None, None, None)
    rates = (float(p.mean()) for p in hidden_bounds(group, hidden_odds))
    earned = (one / float(group.amount.sum()) for one in _inferred_profit(group, economics, hidden_odds))
    return Inferred(rows, *rates, *earned)


def _inferred_profit(group: Applications, economics: Economics, hidden_odds: float) -> tuple[float, float, float]:
    value, low, high = hidden_bounds(group, hidden_odds)
    most_likely, best, worst = (float(profit(p, group.amount, economics).sum()) for p in (value, low, high))
    return most_likely, worst, best


def _observed_change(
    approved: Applications, declined: Applications, economics: Economics, amount: float, confidence: float
) -> Bounded:
    (gain, gain_low, gain_high), (loss, loss_low, loss_high) = (
        observed_profit(group.bad[group.bad >= 0], group.amount[group.bad >= 0], economics, confidence)
        for group in (approved, declined)
    )
    down = float(np.hypot(gain - gain_low, loss_high - loss))
    up = float(np.hypot(gain_high - gain, loss - loss_low))
    return _per_unit((gain - loss, gain - loss - down, gain - loss + up), amount)


def _inferred_change(
    approved: Applications, declined: Applications, economics: Economics, amount: float, hidden_odds: float
) -> Bounded:
    gain, loss = (_inferred_profit(group.take(group.bad < 0), economics, hidden_odds) for group in (approved, declined))
    return _per_unit((gain[0] - loss[0], gain[1] - loss[2], gain[2] - loss[1]), amount)


def _per_unit(figures: tuple[float, float, float], amount: float) -> Bounded:
    return Bounded(*(float(one / amount) if amount else 0.0 for one in figures))
