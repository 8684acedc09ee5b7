"""A sampler whose draws can be repeated in any process, and that a guide can direct."""

import hashlib
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, create_trial

from experiments.search.optuna_adapter import results_of
from experiments.search.space import Space, is_within
from experiments.search.trial_result import Guide, Parameters


class ReseededSampler(BaseSampler):
    """TPE whose draws depend only on the seed, the trial's number and the finished trials; a guide goes before it.

    A trial that is run again, in whatever process, draws what it drew before. In a study with two objectives, what a
    guide leaves out is tuned for the score alone, by the trials that share the guide's parameters.
    """

    def __init__(self, seed: int, space: Space, guide: Guide) -> None:
        self._seed, self._space, self._guide = seed, dict(space), guide
        self._guided: tuple[int, Parameters] = (-1, {})

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that are drawn together."""
        guided = self._guided_parameters(study, trial)
        if guided and len(study.directions) > 1:
            return {name: distribution for name, distribution in self._space.items() if name not in guided}
        return self._sampler(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw parameters together."""
        guided = self._guided_parameters(study, trial)
        if guided and search_space and len(study.directions) > 1:
            return self._tuned(study, trial, search_space, guided)
        return self._sampler(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Take the guide's value of one parameter, or draw it."""
        guided = self._guided_parameters(study, trial).get(param_name)
        if guided is not None and is_within(self._space[param_name], guided):
            return guided
        return self._sampler(trial, param_name).sample_independent(study, trial, param_name, param_distribution)

    def _guided_parameters(self, study: optuna.Study, trial: FrozenTrial) -> Parameters:
        """Return the guide's parameters of a trial, computed once."""
        if self._guided[0] != trial.number:
            self._guided = trial.number, self._guide(trial.number, results_of(study))
        return self._guided[1]

    def _tuned(
        self, study: optuna.Study, trial: FrozenTrial, space: dict[str, BaseDistribution], guided: Parameters
    ) -> dict[str, Any]:
        """Draw parameters as a study of the score alone would, from the trials that share the guided parameters."""
        sharing = [one for one in results_of(study) if all(one.parameters.get(name) == guided[name] for name in guided)]
        view = optuna.create_study(direction="maximize", sampler=self._sampler(trial))
        for one in sharing:
            parameters = {name: one.parameters[name] for name in space}
            view.add_trial(create_trial(params=parameters, distributions=space, value=one.value))
        return view.ask(fixed_distributions=space).params

    def _sampler(self, trial: FrozenTrial, parameter: str = "") -> TPESampler:
        digest = hashlib.sha256(f"{self._seed}/{trial.number}/{parameter}".encode()).digest()
        return TPESampler(seed=int.from_bytes(digest[:4]))
