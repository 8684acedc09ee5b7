"""Guides a fair search: some trials tune parameters, others weaken the features behind the gap."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from experiments.experiment.feature_use import FULL_USE, Parameters
from experiments.fair_search.front import least_unfair
from experiments.search.study import AT_ONCE
from experiments.search.trial_result import TrialResult, best_of

Leverage = Mapping[str, tuple[float, float]]


class Purpose(Enum):
    """What a trial is for."""

    weaken = "weaken"
    """Weaken features of the best so far."""
    tune = "tune"
    """Tune accuracy: a fair model must be an accurate one too."""
    free = "free"
    """Leave all to the study's own sampler, over all parameters and both objectives."""


PURPOSES = (
    *(Purpose.weaken, Purpose.tune, Purpose.tune, Purpose.free),
    *(Purpose.weaken, Purpose.weaken, Purpose.tune, Purpose.tune),
)
"""The purposes of the trials of two rounds, in turn."""

BUDGETS = (1.0, 2.0, 0.5, 4.0, 1.5, 3.0)
"""Multiples of the comparable loss; the loss by shuffling overstates the loss of a model fitted without."""

LEAST_MARGIN = 0.1
"""Share of the comparable loss below which the fairest trial is not weakened further."""

LEAST_SHARE = 0.05
"""Share of the gap. A group that closes less may do so by chance and is not weakened."""

LEAST_LOSS = 0.00025
"""Smallest loss in AUC that is assumed for a group, so that chance is not taken for a free gain."""


@dataclass(frozen=True)
class FairGuide:
    """Guides a study: it tunes the candidate's parameters, and weakens features of the best found so far.

    The first trial is the candidate as configured. `proxies` are the use parameters of the proxy features;
    `comparable_loss` is the AUC that a fairer model may lose; `leverage_of` returns, for parameters and by proxy, the
    loss in AUC and the reduction of the gap without the group.
    """

    configured: Parameters
    proxies: Sequence[str]
    comparable_loss: float
    leverage_of: Callable[[Parameters], Leverage]

    def __call__(self, number: int, earlier: Sequence[TrialResult]) -> Parameters:
        """Return the parameters of a trial; the sampler draws those left out."""
        fully: dict[str, float | int] = dict.fromkeys(self.proxies, FULL_USE)
        if number == 0:
            return {**self.configured, **fully}
        purpose = PURPOSES[number % len(PURPOSES)]
        if purpose is Purpose.free:
            return {}
        if purpose is Purpose.tune or not earlier:
            return fully
        tried = [one.parameters for one in earlier]
        untried = [one for one in self._proposals(earlier) if one not in tried]
        place = number % AT_ONCE  # trials that run at once see much the same ones: each takes a proposal of its own
        return untried[place] if place < len(untried) else {}

    def _proposals(self, earlier: Sequence[TrialResult]) -> list[dict[str, float | int]]:
        best, fairest = best_of(earlier), least_unfair(earlier, self.comparable_loss)
        proposals = [self._weaker(best, budget * self.comparable_loss) for budget in BUDGETS]
        margin = fairest.value - best.value + self.comparable_loss
        if fairest != best and margin > LEAST_MARGIN * self.comparable_loss:
            proposals.insert(2, self._weaker(fairest, margin))
        return proposals

    def _weaker(self, trial: TrialResult, budget: float) -> dict[str, float | int]:
        """Return a trial's parameters with features weakened at a loss of up to `budget`."""
        uses = self._uses(trial)
        least = LEAST_SHARE * (trial.second or 0.0)
        leverage = {name: one for name, one in self.leverage_of(trial.parameters).items() if one[1] > least}
        cuts = cheapest_cuts(leverage, budget)
        return trial.parameters | {name: round(use * (1 - cuts.get(name, 0.0))) for name, use in uses.items()}

    def _uses(self, trial: TrialResult) -> dict[str, float | int]:
        return {name: trial.parameters[name] for name in self.proxies}


def cheapest_cuts(leverage: Leverage, budget: float) -> dict[str, float]:
    """Return the share by which to weaken each group to close the gap most at a loss of at most `budget`.

    `leverage` is (loss, closed) of each group when it is dropped: the loss in AUC and the reduction of the gap (> 0).
    Weakening by a share a closes a x closed and loses a^2 x loss, so the optimal a is proportional to closed / loss, at
    most 1 (Lagrange).

    >>> cuts = cheapest_cuts({"a": (0.04, 0.1), "b": (0.04, 0.05)}, 0.0125)
    >>> {name: round(share, 3) for name, share in cuts.items()}
    {'a': 0.5, 'b': 0.25}
    """
    if not leverage:
        return {}
    loss, closed = np.array(list(leverage.values())).T
    loss = np.maximum(loss, LEAST_LOSS)
    low, high = 0.0, float((loss / closed).max())
    for _ in range(60):
        middle = (low + high) / 2
        shares = np.minimum(1, middle * closed / loss)
        low, high = (middle, high) if shares**2 @ loss < budget else (low, middle)
    return dict(zip(leverage, np.minimum(1, high * closed / loss).tolist(), strict=True))
