"""Directs a search over several families: the portfolio first, then most trials to the families that do best."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from experiments.experiment.recorded_settings import FAMILY
from experiments.search.portfolio import Configuration
from experiments.search.trial_result import Parameters, TrialResult

WORST = (-inf, 0.0)
"""The place of a family without a finished trial."""


@dataclass(frozen=True)
class FamilyGuide:
    """A guide (see `Guide`) that tries configurations in turn and then halves the trials over the families.

    After the configurations the best family gets every second trial, the second best half of the others, and so on.
    The guide draws nothing, so that every worker proposes the same trials.
    """

    configurations: Sequence[Configuration]

    def __call__(self, number: int, finished: Sequence[TrialResult]) -> Parameters:
        """Return the family of a trial, and all its parameters while it is one of the configurations."""
        if number < len(self.configurations):
            one = self.configurations[number]
            return {FAMILY: one.family, **one.parameters}
        ranked = self._ranked(finished)
        return {FAMILY: ranked[min(_trailing_zeros(number - len(self.configurations) + 1), len(ranked) - 1)]}

    def _ranked(self, finished: Sequence[TrialResult]) -> list[str]:
        """Return the families by their best trial; those without one, whose trials failed, come last.

        A trial that breaks a constraint counts less than any that breaks it less.
        """
        best = {one.family: WORST for one in self.configurations}
        for trial in finished:
            family = str(trial.parameters[FAMILY])
            best[family] = max(best.get(family, WORST), (-trial.breach, trial.value))
        return sorted(best, key=lambda family: best[family], reverse=True)


def _trailing_zeros(number: int) -> int:
    """Return how often 2 divides a number.

    >>> [_trailing_zeros(number) for number in range(1, 9)]
    [0, 1, 0, 2, 0, 1, 0, 3]
    """
    return (number & -number).bit_length() - 1
