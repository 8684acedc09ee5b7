"""Draws the parameters of trials so that any process draws the same ones; guided parameters are taken as they are."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from experiments.experiment.recorded_settings import FAMILY
from experiments.search.optuna_adapter import Direction
from experiments.search.space import Space, active, is_within
from experiments.search.trial_result import Parameters

USED = (TrialState.COMPLETE, TrialState.PRUNED)
"""A sampler learns nothing from failed trials."""


class Sampler:
    """TPE whose draws depend only on the seed, the trial's number, the guided parameters and the earlier trials.

    What is not guided is drawn from the earlier trials that share the guided parameters, as in a study of its own.
    Where more than the family is guided, it is tuned for the score alone: the guide pursues the second objective then.
    """

    def __init__(self, seed: int, space: Space, directions: Sequence[Direction]) -> None:
        self._seed, self._space, self._directions = seed, dict(space), list(directions)
        self._views: dict[tuple[tuple[str, float | int], ...], _View] = {}

    def parameters(self, number: int, guided: Parameters, earlier: Sequence[FrozenTrial]) -> dict[str, Any]:
        """Return the parameters of a trial: the guided ones where they are within their ranges, the others drawn."""
        space = active(self._space, guided.get(FAMILY))
        taken = {name: guided[name] for name, one in space.items() if name in guided and is_within(one, guided[name])}
        rest: dict[str, BaseDistribution] = {name: one for name, one in space.items() if name not in taken}
        parameters = taken | (self._drawn(number, rest, taken, earlier) if rest else {})
        return {name: parameters[name] for name in space}

    def _drawn(
        self, number: int, space: dict[str, BaseDistribution], guided: Parameters, earlier: Sequence[FrozenTrial]
    ) -> dict[str, Any]:
        shared = tuple(guided.items())
        if shared not in self._views:
            alone = any(name != FAMILY for name in guided)
            self._views[shared] = _View(guided, self._directions[:1] if alone else self._directions)
        view = self._views[shared]
        view.add(earlier)
        digest = hashlib.sha256(f"{self._seed}/{number}".encode()).digest()
        return view.draw(space, seed=int.from_bytes(digest[:4]))


class _View:
    """A study in memory of the earlier trials that share some parameters; it grows as the search does."""

    def __init__(self, shared: Parameters, directions: Sequence[Direction]) -> None:
        self._shared, self._objectives = dict(shared), len(directions)
        self._storage = InMemoryStorage()
        self._study = optuna.create_study(storage=self._storage, directions=directions)
        self._numbers: set[int] = set()

    def add(self, trials: Sequence[FrozenTrial]) -> None:
        """Add those of the trials that are new and share the parameters, as the sampler sees them."""
        for trial in trials:
            if trial.number not in self._numbers:
                self._numbers.add(trial.number)
                if trial.state in USED and all(trial.params.get(name) == one for name, one in self._shared.items()):
                    self._study.add_trial(_of_objectives(trial, self._objectives))

    def draw(self, space: dict[str, BaseDistribution], *, seed: int) -> dict[str, Any]:
        """Draw parameters from the trials that were added."""
        relaxed = {name: _relaxed(one) for name, one in space.items()}
        sampler = _Tpe(relaxed, seed)
        study = optuna.load_study(storage=self._storage, study_name=self._study.study_name, sampler=sampler)
        trial = study.ask(relaxed)
        study.tell(trial, state=TrialState.FAIL)  # it has no result here, and is added again with that
        return {name: _rounded(space[name], value) for name, value in trial.params.items()}


class _Tpe(TPESampler):
    """TPE over a space that is known: to find it again from all trials takes a third of the time of a draw."""

    def __init__(self, space: Mapping[str, BaseDistribution], seed: int) -> None:
        super().__init__(seed=seed, constant_liar=False)
        self._known = {name: one for name, one in space.items() if not one.single()}

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:  # noqa: ARG002
        """Return the parameters to draw together; Optuna draws them one by one where there are two objectives."""
        return self._known if len(study.directions) == 1 else {}


def _of_objectives(trial: FrozenTrial, objectives: int) -> FrozenTrial:
    """Return an ended trial as a study of the first objectives would have it, with relaxed distributions.

    A study of fewer objectives than the trial has pursues them alone, without the constraints.
    """
    is_whole = trial.values is None or len(trial.values) == objectives
    return create_trial(
        state=trial.state,
        values=None if trial.values is None else trial.values[:objectives],
        params=trial.params,
        distributions={name: _relaxed(one) for name, one in trial.distributions.items()},
        intermediate_values=trial.intermediate_values,
        constraints=trial.constraints if is_whole else None,
    )


def _relaxed(distribution: BaseDistribution) -> BaseDistribution:
    """Return whole numbers as the numbers that round to them; any other distribution as it is.

    TPE integrates over each whole number and each trial, which takes most of the time of a draw in a long study.
    """
    if isinstance(distribution, IntDistribution) and not distribution.single():
        return FloatDistribution(distribution.low - 0.5, distribution.high + 0.5, log=distribution.log)
    return distribution


def _rounded(distribution: BaseDistribution, value: Any) -> Any:
    if isinstance(distribution, IntDistribution):
        return min(max(round(value), distribution.low), distribution.high)
    return value
