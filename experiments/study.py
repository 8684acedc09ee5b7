"""The one door to Optuna: a study that can be killed, continued and shared without changing its numbers."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from experiments.leases import Leases
from pipelines.errors import ConfigurationError, nearest
from pipelines.settings import Range
from pipelines.workspace import new_sqlite, sqlite_url

Parameters = Mapping[str, float | int]
Objective = Callable[[Parameters], float]
Space = Mapping[str, BaseDistribution]

LOCK_SECONDS = 60
WAIT_SECONDS = 0.5


@dataclass(frozen=True)
class TrialResult:
    """One finished trial: its number, parameters and score."""

    number: int
    parameters: dict[str, float | int]
    value: float


class Study:
    """A search over named ranges for the highest score, kept in a database under its name.

    It starts with the parameters `first`, so that it never ends below them.
    """

    def __init__(self, path: Path, name: str, space: Space, *, first: Parameters, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        _initialise_once(path)
        self.name = name
        self._space = dict(space)
        self._storage = _storage(path)
        self.leases = Leases(self._storage.engine)
        self._study = optuna.create_study(
            storage=self._storage,
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            sampler=ReseededSampler(seed, first),
        )

    def run(self, objective: Objective, trials: int) -> Iterator[TrialResult]:
        """Work on the study until it has so many finished trials; yield each one that this worker finishes.

        Trials held by other living workers are waited for; those of dead ones run again with their parameters.
        """
        while len(self.finished()) < trials:
            result = self._finish_one(objective, trials)
            if result is None:
                time.sleep(WAIT_SECONDS)
            else:
                yield result

    def finished(self) -> list[TrialResult]:
        """Return the finished trials by number."""
        complete = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return [_result(trial) for trial in complete]

    def _finish_one(self, objective: Objective, trials: int) -> TrialResult | None:
        """Finish an abandoned trial, or else a new one; None when others hold all that is left."""
        for abandoned in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            with self.leases.held(self._lease(abandoned.number)) as mine:
                if mine and not self._storage.get_trial(abandoned._trial_id).state.is_finished():
                    return self._evaluate(Trial(self._study, abandoned._trial_id), objective)
        return self._finish_new(objective, trials)

    def _finish_new(self, objective: Objective, trials: int) -> TrialResult | None:
        with ExitStack() as held:
            # Nobody else asks meanwhile, so the number of the next trial is known and can be leased before it exists:
            # no other worker ever sees it unowned.
            with self.leases.held(f"{self.name}/ask") as may_ask:
                number = len(self._study.get_trials(deepcopy=False))
                if not may_ask or number >= trials or not held.enter_context(self.leases.held(self._lease(number))):
                    return None
                trial = self._study.ask()
            return self._evaluate(trial, objective)

    def _evaluate(self, trial: Trial, objective: Objective) -> TrialResult:
        parameters = {name: _suggest(trial, name, distribution) for name, distribution in self._space.items()}
        value = self._recorded(parameters)
        # A worker whose lease lapsed while its machine slept may find that another has finished its trial: all agree.
        self._study.tell(trial, objective(parameters) if value is None else value, skip_if_finished=True)
        return _result(self._storage.get_trial(trial._trial_id))

    def _recorded(self, parameters: Parameters) -> float | None:
        """Return the score of the same parameters if they were tried: small spaces repeat a quarter of their trials."""
        return next((trial.value for trial in self.finished() if trial.parameters == parameters), None)

    def _lease(self, number: int) -> str:
        return f"{self.name}/trial/{number}"


class ReseededSampler(BaseSampler):
    """TPE whose draws depend only on the seed, the trial's number and the finished trials.

    A trial that is run again, in whatever process, draws what it drew before. Trial 0 takes the parameters `first`.
    """

    def __init__(self, seed: int, first: Parameters) -> None:
        self._seed, self._first = seed, first

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that are drawn together."""
        return self._sampler(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw parameters together."""
        return self._sampler(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw one parameter."""
        first = self._first.get(param_name)
        if trial.number == 0 and first is not None and param_distribution._contains(first):
            return first
        return self._sampler(trial, param_name).sample_independent(study, trial, param_name, param_distribution)

    def _sampler(self, trial: FrozenTrial, parameter: str = "") -> TPESampler:
        digest = hashlib.sha256(f"{self._seed}/{trial.number}/{parameter}".encode()).digest()
        return TPESampler(seed=int.from_bytes(digest[:4]))


def space_of(parameters: object, ranges: Mapping[str, Range]) -> dict[str, BaseDistribution]:
    """Return the ranges to search, typed as the parameters they vary.

    Raises:
        ConfigurationError: a range for a parameter that the candidate does not have, or an empty one.
    """
    types = {member.name: member.type for member in fields(parameters)}  # type: ignore[arg-type]
    space: dict[str, BaseDistribution] = {}
    for name, wanted in ranges.items():
        if name not in types:
            raise ConfigurationError(f"candidate.space must name parameters, received '{name}'; {nearest(name, types)}")
        if not wanted.low <= wanted.high or (wanted.log and wanted.low <= 0):
            raise ConfigurationError(
                f"candidate.space.{name} must go from a low to a higher number (above 0 when log), received "
                f"{wanted.low} to {wanted.high}; correct the range"
            )
        if types[name] is int:
            space[name] = IntDistribution(int(wanted.low), int(wanted.high), log=wanted.log)
        else:
            space[name] = FloatDistribution(wanted.low, wanted.high, log=wanted.log)
    return space


def best_of(trials: Sequence[TrialResult]) -> TrialResult:
    """Return the trial with the highest score, the earliest of equals."""
    return max(trials, key=lambda trial: (trial.value, -trial.number))


def _suggest(trial: Trial, name: str, distribution: BaseDistribution) -> float | int:
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(name, distribution.low, distribution.high, log=distribution.log)
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)


def _result(trial: FrozenTrial) -> TrialResult:
    assert trial.value is not None
    return TrialResult(trial.number, dict(trial.params), trial.value)


def _storage(path: Path) -> RDBStorage:
    return RDBStorage(sqlite_url(path), engine_kwargs={"connect_args": {"timeout": LOCK_SECONDS}})


def _initialise_once(path: Path) -> None:
    if path.exists():
        return
    with new_sqlite(path) as fresh:
        storage = _storage(fresh)
        storage.remove_session()
        storage.engine.dispose()
