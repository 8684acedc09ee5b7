"""A study that can be killed, continued and shared by workers without changing its trials."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from experiments.search.optuna_adapter import NOTES, reopened, result_of, results_of, sqlite_storage
from experiments.search.sampler import ReseededSampler
from experiments.search.space import Space, suggest
from experiments.search.trial_result import Guide, Objective, ObjectiveValue, Parameters, TrialResult
from pipelines.errors import RequestError, ThinfileError
from pipelines.storage.worker_locks import WorkerLocks

log = logging.getLogger(__name__)

WAIT_SECONDS = 0.5

LOSS = "loss"
"""Under this name a trial keeps by how much it breaks the constraint."""

FAILURE = "failure"
"""Under this name a failed trial keeps the message of its error."""


class Study:
    """A search over named ranges for the highest score, kept in a database under its name.

    With `largest_loss` it has two objectives, the highest score and the least unfairness; trials whose score is further
    than that below the best before them break its constraint.
    """

    def __init__(
        self, path: Path, name: str, space: Space, *, guide: Guide, seed: int, largest_loss: float | None = None
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.name = name
        self._space = dict(space)
        self._largest_loss = largest_loss
        storage = sqlite_storage(path)
        self.locks = WorkerLocks(storage.engine)
        self._study = optuna.create_study(
            storage=storage,
            study_name=name,
            directions=["maximize"] if largest_loss is None else ["maximize", "minimize"],
            load_if_exists=True,
            sampler=ReseededSampler(seed, space, guide),
        )

    def run(self, objective: Objective, trials: int) -> Iterator[TrialResult]:
        """Work on the study until so many trials have ended; yield each one that this worker finishes.

        Trials that other living workers hold are waited for; those of dead ones run again with their parameters. A
        trial whose objective raises an error is marked FAIL and the study goes on.

        Raises:
            RequestError: the objective refuses the data or the configuration, which would fail every trial.
            ThinfileError: all trials failed.
        """
        while sum(trial.state.is_finished() for trial in self._trials()) < trials:
            number = self._end_one(objective, trials)
            if number is None:
                time.sleep(WAIT_SECONDS)
            elif (trial := self._trials()[number]).state == TrialState.COMPLETE:
                yield result_of(trial)
        if not self.finished():
            failures = [trial.user_attrs.get(FAILURE, "unknown error") for trial in self._trials()]
            raise ThinfileError(f"all {len(failures)} trials failed, the last with: {failures[-1]}")

    def finished(self) -> list[TrialResult]:
        """Return the finished trials by number."""
        return results_of(self._study)

    def _trials(self) -> list[FrozenTrial]:
        """Return all trials; the place of each is its number."""
        return self._study.get_trials(deepcopy=False)

    def _end_one(self, objective: Objective, trials: int) -> int | None:
        """End an abandoned trial, or else a new one, and return its number; None when others hold all that is left."""
        for abandoned in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            with self.locks.held(self._lock_of(abandoned.number)) as mine:
                if mine and not self._trials()[abandoned.number].state.is_finished():
                    return self._evaluate(reopened(self._study, abandoned), objective)
        return self._end_new(objective, trials)

    def _end_new(self, objective: Objective, trials: int) -> int | None:
        with ExitStack() as locks:
            # No other worker starts a trial meanwhile, so the number of the next one is known and can be locked before
            # the trial exists: no other worker ever sees it without its lock.
            with self.locks.held(f"{self.name}/ask") as may_ask:
                number = len(self._trials())
                if not may_ask or number >= trials or not locks.enter_context(self.locks.held(self._lock_of(number))):
                    return None
                trial = self._study.ask()
            return self._evaluate(trial, objective)

    def _evaluate(self, trial: Trial, objective: Objective) -> int:
        parameters = suggest(trial, self._space)
        # A worker whose lock expired while its machine slept may find that another has ended its trial: all agree.
        try:
            answer = self._recorded(parameters) or objective(parameters)
        except RequestError:
            raise
        except Exception as error:
            log.warning("trial %d failed and the study goes on: %s", trial.number, error)
            trial.set_user_attr(FAILURE, f"{type(error).__name__}: {error}")
            self._study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
        else:
            self._note(trial, answer)
            self._study.tell(trial, answer.values, skip_if_finished=True)
        return trial.number

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

    def _lock_of(self, number: int) -> str:
        return f"{self.name}/trial/{number}"
