"""A level that changes from vintage to vintage and remembers: what to expect next, and whether it has jumped.

The level of a vintage (of log-odds of bad, or of the AUC) is the mean of the levels of the months in which it is
repaid, so that neighbouring vintages share months. The level of months is an autoregression about a mean that is not
known, or a random walk; a vintage is observed with its sampling error and an error of its own (Harvey 1989, ch. 3 and
4). How much levels move is not known. Each combination of parameters in `GRID` runs its own Kalman filter and counts by
how well it predicted each vintage from the ones before it (Dawid 1984, prequential), so that nothing is learnt from a
vintage before it is predicted, and few vintages give wide predictions with long tails.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import log_ndtr, logsumexp, ndtr

from pipelines.credit.arrays import Floats

INNOVATIONS = (0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
"""Standard deviations of the change of a month's level, relative to the size of a jump."""

SPREADS = (1, 2, 4, 8)
"""Months over which a vintage is repaid."""

OWN_ERRORS = (0.0, 0.15, 0.4)
"""Standard deviations of what is a vintage's own, relative to the size of a jump."""

MEMORIES = (0.9, 1.0)
"""Share of a month's distance from the mean that is left a month later; 1 is a random walk."""

GRID = np.array(list(product(INNOVATIONS, SPREADS, OWN_ERRORS, MEMORIES)))
"""All combinations of innovation, spread, own error and memory, shape (g, 4)."""

FIRST = 2.0
"""Standard deviation of the level of the first vintage, relative to the size of a jump."""

YEAR = 12


@dataclass(frozen=True)
class Observation:
    """The level of a vintage with the variance of its sampling error, `month` counted from any month.

    `scored_by` names what scored its loans: another model has a level of its own.
    """

    month: int
    level: float
    variance: float
    scored_by: str = ""


@dataclass(frozen=True)
class Jump:
    """The jumps that are looked for: their usual size, and the sign that they have, 0 for either.

    Without a jump, innovations and own errors are usually at most about `usual`, relative to the size: the prior weight
    of larger ones falls as that of a normal distribution.
    """

    size: float
    sign: int = 0
    usual: float = 0.32


@dataclass(frozen=True)
class Judged:
    """A vintage against those before it.

    `expected` and `deviation` are of its observed level as predicted. `below` is the probability of as low a level or
    lower. `e_value` is the evidence that the level has jumped at one of the last twelve vintages (see `follow`), `jump`
    its estimated size and `since` the month at which it is likeliest to have happened, None where none was looked for.
    """

    observation: Observation
    expected: float
    deviation: float
    below: float
    e_value: float
    jump: float
    since: int | None

    @property
    def two_sided(self) -> float:
        """The p-value of the vintage against a level that is higher or lower than predicted."""
        return 2 * min(self.below, 1 - self.below)


def follow(observations: Sequence[Observation], jump: Jump, *, least: int, offset: float) -> list[Judged]:
    """Return each vintage, in order of their months, against those before it.

    The evidence at vintage t is M(t) = 1/12 sum over the last twelve vintages s <= t of B(s, t), where B is the ratio
    of the likelihoods with and without a jump at s whose size is normal with mean 0 and deviation `jump.size` (half
    normal for a sign), both averaged over the grid: a mixture likelihood ratio (Robbins 1970) for each s. Without a
    jump each B(s, t) is a nonnegative martingale in t with mean 1, so that their sum is an e-detector (Shin, Ramdas and
    Rinaldo 2024): M first exceeds 1/a after 12/a vintages or more on average, however often it is looked at. So a is
    the rate of false alarms in a year. In the first twelve vintages it bounds their probability too (Ville); in later
    years, when the jumps that are looked for began in 23 months, that is at most 23/12 a.

    Args:
        observations: vintages with outcomes.
        jump: the jumps that are looked for.
        least: vintages below which no jump is looked for.
        offset: standard deviation of the difference between the levels of two models, relative to the size of a jump.
    """
    judged: list[Judged] = []
    state: _Filters | None = None
    for place, one in enumerate(sorted(observations, key=lambda one: one.month)):
        state = _Filters(one, jump) if state is None else state.until(one, offset)
        judged.append(state.update(one, looks=place >= least))
    return judged


def forecast(observations: Sequence[Observation], jump: Jump, month: int, *, offset: float) -> tuple[float, float]:
    """Return mean and variance of the level of a vintage of a later month, without sampling error.

    The mean and the variance are those of the mixture over the grid, after the observed vintages; see `follow`.

    Raises:
        ValueError: there are no observations.
    """
    if not observations:
        raise ValueError("a forecast needs at least one vintage; pass the ones with outcomes")
    ordered = sorted(observations, key=lambda one: one.month)
    state = _Filters(ordered[0], jump)
    for one in ordered:
        state.until(one, offset).update(one, looks=False)
    return state.until(Observation(month, 0.0, 0.0, ordered[-1].scored_by), offset).expected()


class _Filters:
    """Kalman filters of all combinations of the grid, and what a unit jump at each vintage would have done to them."""

    def __init__(self, first: Observation, jump: Jump) -> None:
        self.jump, self.last = jump, first
        innovation, self.spread, own, memory = (GRID * [jump.size, 1.0, jump.size, 1.0]).T
        self.innovation, self.own = innovation**2, own**2
        combinations, longest = len(GRID), int(self.spread.max())
        # The state: the levels of the latest months, the newest first, and their mean.
        weights = np.where(np.arange(longest) < self.spread[:, None], 1 / self.spread[:, None], 0.0)
        self.parts = np.pad(weights, ((0, 0), (0, 1)))
        self.transition = np.tile(np.eye(longest + 1, k=-1), (combinations, 1, 1))
        self.transition[:, 0, 0], self.transition[:, 0, -1] = memory, 1 - memory
        self.transition[:, -1] = np.eye(longest + 1)[-1]
        self.mean = np.zeros((combinations, longest + 1))
        self.covariance = np.full((combinations, longest + 1, longest + 1), (FIRST * jump.size) ** 2)
        self.covariance[:, :-1, :-1] += _months(innovation, memory, longest)
        prior = -0.5 * (GRID[:, [0, 2]] ** 2).sum(axis=1) / jump.usual**2
        self.log_weight = prior - logsumexp(prior)
        self.begun: list[int] = []
        self.response = np.zeros((combinations, 0, longest + 1))
        self.precision, self.evidence = np.zeros((combinations, 0)), np.zeros((combinations, 0))

    def until(self, one: Observation, offset: float) -> "_Filters":
        """Return the filters as they expect a vintage."""
        for _ in range(one.month - self.last.month):
            self._next_month()
        if one.scored_by != self.last.scored_by:
            self.covariance = self.covariance + (offset * self.jump.size) ** 2
        self.last = one
        return self

    def _next_month(self) -> None:
        """The newest month's level is the one before it, changed; the oldest month is left behind."""
        self.mean = np.einsum("gij,gj->gi", self.transition, self.mean)
        self.response = self.response @ self.transition.transpose(0, 2, 1)
        self.covariance = self.transition @ self.covariance @ self.transition.transpose(0, 2, 1)
        self.covariance[:, 0, 0] += self.innovation

    def expected(self) -> tuple[float, float]:
        """Return mean and variance of the level of the vintage that is expected next."""
        weight = np.exp(self.log_weight)
        mean = (self.parts * self.mean).sum(axis=1)
        variance = np.einsum("gk,gkl,gl->g", self.parts, self.covariance, self.parts) + self.own
        middle = float(weight @ mean)
        return middle, float(weight @ (variance + (mean - middle) ** 2))

    def update(self, one: Observation, *, looks: bool) -> Judged:
        """Return a vintage as judged, and learn from it."""
        mean = (self.parts * self.mean).sum(axis=1)
        shared = (self.covariance @ self.parts[:, :, None])[:, :, 0]
        surprise = one.level - mean
        spread = (self.parts * shared).sum(axis=1) + self.own + one.variance
        weight = np.exp(self.log_weight)
        below = float(weight @ ndtr(surprise / np.sqrt(spread)))
        expected = float(weight @ mean)
        deviation = float(np.sqrt(weight @ (spread + (mean - expected) ** 2)))
        if looks:
            self._begin(one.month)
        self._learn(one.month, surprise, spread, shared / spread[:, None])
        return Judged(one, expected, deviation, below, *self._jumped())

    def _begin(self, month: int) -> None:
        """Look for a jump at a vintage too, and no more for one before the last twelve vintages."""
        kept = slice(-(YEAR - 1), None) if len(self.begun) >= YEAR else slice(None)
        self.begun = [*self.begun[kept], month]
        self.response = np.pad(self.response[:, kept], ((0, 0), (0, 1), (0, 0)))
        self.precision, self.evidence = (
            np.pad(values[:, kept], ((0, 0), (0, 1))) for values in (self.precision, self.evidence)
        )

    def _learn(self, month: int, surprise: Floats, spread: Floats, gain: Floats) -> None:
        age = month + 1 - np.array(self.begun, float)
        jumped = np.minimum(age / self.spread[:, None], 1.0)  # the part of a unit jump that is in this vintage
        share = jumped - np.einsum("gk,gsk->gs", self.parts, self.response)
        self.precision = self.precision + share**2 / spread[:, None]
        self.evidence = self.evidence + share * (surprise / spread)[:, None]
        self.response = self.response + share[:, :, None] * gain[:, None, :]
        self.mean = self.mean + gain * surprise[:, None]
        self.covariance = self.covariance - gain[:, :, None] * gain[:, None, :] * spread[:, None, None]
        log_weight = self.log_weight - 0.5 * (np.log(spread) + surprise**2 / spread)
        self.log_weight = log_weight - logsumexp(log_weight)

    def _jumped(self) -> tuple[float, float, int | None]:
        """Return the evidence of a jump, its size and its month."""
        if not self.begun:
            return 0.0, 0.0, None
        size, sign = self.jump.size, self.jump.sign
        shrunk = 1 / (1 / size**2 + self.precision)
        estimate = shrunk * self.evidence
        ratio = 0.5 * (np.log(shrunk / size**2) + estimate * self.evidence)
        if sign:
            ratio = ratio + np.log(2) + log_ndtr(sign * estimate / np.sqrt(shrunk))
        joint = self.log_weight[:, None] + ratio
        total = float(logsumexp(joint))
        chance = np.exp(joint - total)
        since = self.begun[int(chance.sum(axis=0).argmax())]
        return float(np.exp(min(total, 700.0))) / YEAR, float((chance * estimate).sum()), since


def _months(innovation: Floats, memory: Floats, longest: int) -> Floats:
    """Return the covariance of the levels of months about their mean, the newest first; a random walk begins at it."""
    place = np.arange(longest)
    apart, since = np.abs(np.subtract.outer(place, place)), np.minimum.outer(place[::-1], place[::-1])
    about = memory[:, None, None] ** apart / np.maximum(1 - memory**2, 1e-9)[:, None, None]
    return np.asarray(innovation[:, None, None] ** 2 * np.where(memory[:, None, None] < 1, about, since))
