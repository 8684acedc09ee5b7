"""The one door to Optuna: a study that can be killed, continued and shared without changing its numbers."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from pipelines.candidates.settings import Range
from pipelines.errors import ConfigurationError, nearest
from pipelines.storage.worker_locks import Leases
from pipelines.storage.workspace import new_sqlite, sqlite_url

Parameters = Mapping[str, float | int]
Space = Mapping[str, BaseDistribution]

LOCK_SECONDS = 60
WAIT_SECONDS = 0.5

NOTES, LOSS = "notes", "loss"
"""Under these names a trial keeps its notes and by how much it breaks the constraint."""


@dataclass(frozen=True)
class ObjectiveValue:
    """What an objective says of parameters: the score, how far from fair (where that is asked), and notes to keep."""

    value: float
    unfairness: float | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> list[float]:
        """What the study optimises: the highest score, and the least of the other."""
        return [self.value] if self.unfairness is None else [self.value, self.unfairness]


@dataclass(frozen=True)
class TrialResult(ObjectiveValue):
    """One finished trial: its answer, number and parameters."""

    number: int = field(kw_only=True)
    parameters: dict[str, float | int] = field(kw_only=True)


Objective = Callable[[Parameters], ObjectiveValue]
Guide = Callable[[int, Sequence[TrialResult]], Parameters]
"""Says, of a trial's number and the finished trials before it, what to try; what it leaves out the sampler draws."""


class Study:
    """A search over named ranges for the highest score, kept in a database under its name.

    With `largest_loss` it has two objectives, the highest score and the least unfairness; trials whose score is further
    than that below the best before them break its constraint.
    """

    def __init__(
        self, path: Path, name: str, space: Space, *, guide: Guide, seed: int, largest_loss: float | None = None
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        _initialise_once(path)
        self.name = name
        self._space = dict(space)
        self._largest_loss = largest_loss
        self._storage = _storage(path)
        self.locks = Leases(self._storage.engine)
        self._study = optuna.create_study(
            storage=self._storage,
            study_name=name,
            directions=["maximize"] if largest_loss is None else ["maximize", "minimize"],
            load_if_exists=True,
            sampler=ReseededSampler(seed, space, guide),
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
        return _finished(self._study)

    def _finish_one(self, objective: Objective, trials: int) -> TrialResult | None:
        """Finish an abandoned trial, or else a new one; None when others hold all that is left."""
        for abandoned in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            with self.locks.held(self._lease(abandoned.number)) as mine:
                if mine and not self._storage.get_trial(abandoned._trial_id).state.is_finished():
                    return self._evaluate(Trial(self._study, abandoned._trial_id), objective)
        return self._finish_new(objective, trials)

    def _finish_new(self, objective: Objective, trials: int) -> TrialResult | None:
        with ExitStack() as held:
            # Nobody else asks meanwhile, so the number of the next trial is known and can be leased before it exists:
            # no other worker ever sees it unowned.
            with self.locks.held(f"{self.name}/ask") as may_ask:
                number = len(self._study.get_trials(deepcopy=False))
                if not may_ask or number >= trials or not held.enter_context(self.locks.held(self._lease(number))):
                    return None
                trial = self._study.ask()
            return self._evaluate(trial, objective)

    def _evaluate(self, trial: Trial, objective: Objective) -> TrialResult:
        parameters = {name: _suggest(trial, name, distribution) for name, distribution in self._space.items()}
        answer = self._recorded(parameters) or objective(parameters)
        self._note(trial, answer)
        # A worker whose lease lapsed while its machine slept may find that another has finished its trial: all agree.
        self._study.tell(trial, answer.values, skip_if_finished=True)
        return _result(self._storage.get_trial(trial._trial_id))

    def _note(self, trial: Trial, answer: ObjectiveValue) -> None:
        """Keep what belongs to a trial before it is finished; one that was killed in between has it already."""
        if answer.notes:
            trial.set_user_attr(NOTES, dict(answer.notes))
        if self._largest_loss is not None and not trial.constraints:
            best = max([answer.value, *(one.value for one in self.finished())])
            trial.set_constraint(LOSS, best - answer.value - self._largest_loss)

    def _recorded(self, parameters: Parameters) -> ObjectiveValue | None:
        """Return the answer to parameters that were tried before: small spaces repeat a quarter of their trials."""
        return next((trial for trial in self.finished() if trial.parameters == parameters), None)

    def _lease(self, number: int) -> str:
        return f"{self.name}/trial/{number}"


class ReseededSampler(BaseSampler):
    """TPE whose draws depend only on the seed, the trial's number and the finished trials; a guide goes before it.

    A trial that is run again, in whatever process, draws what it drew before. Of a study with two objectives, what a
    guide leaves out is tuned for the score alone, by the trials that agree with what it says.
    """

    def __init__(self, seed: int, space: Space, guide: Guide) -> None:
        self._seed, self._space, self._guide = seed, dict(space), guide
        self._guided: tuple[int, Parameters] = (-1, {})

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that are drawn together."""
        told = self._told(study, trial)
        if told and study._is_multi_objective():
            return {name: distribution for name, distribution in self._space.items() if name not in told}
        return self._sampler(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw parameters together."""
        told = self._told(study, trial)
        if told and search_space and study._is_multi_objective():
            return self._tuned(study, trial, search_space, told)
        return self._sampler(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Take what the guide says of one parameter, or draw it."""
        told = self._told(study, trial).get(param_name)
        if told is not None and param_distribution._contains(told):
            return told
        return self._sampler(trial, param_name).sample_independent(study, trial, param_name, param_distribution)

    def _told(self, study: optuna.Study, trial: FrozenTrial) -> Parameters:
        """Return what the guide says of a trial, asked once."""
        if self._guided[0] != trial.number:
            self._guided = trial.number, self._guide(trial.number, _finished(study))
        return self._guided[1]

    def _tuned(self, study: optuna.Study, trial: FrozenTrial, space: Space, told: Parameters) -> dict[str, Any]:
        """Draw parameters as a study of the score alone would, from the trials that agree with the guide."""
        agreeing = [one for one in _finished(study) if all(one.parameters.get(name) == told[name] for name in told)]
        view = optuna.create_study(direction="maximize", sampler=self._sampler(trial))
        for one in agreeing:
            parameters = {name: one.parameters[name] for name in space}
            view.add_trial(create_trial(params=parameters, distributions=dict(space), value=one.value))
        return view.ask(fixed_distributions=dict(space)).params

    def _sampler(self, trial: FrozenTrial, parameter: str = "") -> TPESampler:
        digest = hashlib.sha256(f"{self._seed}/{trial.number}/{parameter}".encode()).digest()
        return TPESampler(seed=int.from_bytes(digest[:4]))


def starting_with(first: Parameters) -> Guide:
    """Return a guide whose first trial takes these parameters, so that a study never ends below them."""
    return lambda number, _: first if number == 0 else {}


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


def whole_numbers(names: Iterable[str], high: int) -> dict[str, BaseDistribution]:
    """Return parameters that are whole numbers from 0 on, as a part of a space."""
    return {name: IntDistribution(0, high) for name in names}


def best_of(trials: Sequence[TrialResult]) -> TrialResult:
    """Return the trial with the highest score, the earliest of equals."""
    return max(trials, key=lambda trial: (trial.value, -trial.number))


def _suggest(trial: Trial, name: str, distribution: BaseDistribution) -> float | int:
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(name, distribution.low, distribution.high, log=distribution.log)
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)


def _finished(study: optuna.Study) -> list[TrialResult]:
    return [_result(trial) for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))]


def _result(trial: FrozenTrial) -> TrialResult:
    assert trial.values is not None
    value, unfairness = [*trial.values, None][:2]
    assert value is not None
    notes = trial.user_attrs.get(NOTES, {})
    return TrialResult(value, unfairness, notes, number=trial.number, parameters=dict(trial.params))


def _storage(path: Path) -> RDBStorage:
    return RDBStorage(sqlite_url(path), engine_kwargs={"connect_args": {"timeout": LOCK_SECONDS}})


def _initialise_once(path: Path) -> None:
    if path.exists():
        return
    with new_sqlite(path) as fresh:
        storage = _storage(fresh)
        storage.remove_session()
        storage.engine.dispose()
