"""A study that can be killed, continued and shared by workers without changing its trials."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.search.optuna_adapter import (
    NOTES,
    Direction,
    open_study,
    reopened,
    result_of,
    start_trial,
    study_storage,
    trials_of,
)
from experiments.search.sampler import Sampler
from experiments.search.space import Space
from experiments.search.trial_result import Guide, Objective, ObjectiveValue, Parameters, TrialResult
from pipelines.errors import RequestError, ThinfileError
from pipelines.storage.worker_locks import WorkerLocks
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

WAIT_SECONDS = 0.1

ROUND = 4
"""So many trials of a deterministic study are drawn from the same earlier ones, and may run at the same time."""

SCORE, UNFAIRNESS = "cross-validated AUC", "gap in approval rates"
"""The names of the objectives, as optuna-dashboard shows them."""

LOSS = "loss"
"""Under this name a trial keeps by how much it breaks the constraint."""

FAILURE = "failure"
"""Under this name a failed trial keeps the message of its error."""


def never() -> bool:
    """Return that there is no reason to stop."""
    return False


class Study:
    """A search over named ranges for the highest score, kept in a database under its name.

    A deterministic study has the same trials for any number of workers: those of one round are drawn from the trials of
    earlier rounds alone, and start when these have ended. With `largest_loss` a study has two objectives, the highest
    score and the least unfairness; trials whose score is further than that below the best before them break its
    constraint. `title` is the name that people see.
    """

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        space: Space,
        *,
        guide: Guide,
        seed: int,
        title: str = "",
        deterministic: bool = True,
        largest_loss: float | None = None,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        objectives: dict[str, Direction] = {SCORE: "maximize"}
        if largest_loss is not None:
            objectives[UNFAIRNESS] = "minimize"
        self.name = name
        self._space = dict(space)
        self._guide = guide
        self._sampler = Sampler(seed, space, list(objectives.values()))
        self._round = ROUND if deterministic else None
        self._largest_loss = largest_loss
        self._results: dict[int, TrialResult] = {}
        storage = study_storage(workspace)
        self.locks = WorkerLocks(storage.engine)
        self._study = open_study(storage, title or name, objectives)

    def run(
        self, objective: Objective, trials: int | None = None, stop: Callable[[], bool] = never
    ) -> Iterator[TrialResult]:
        """Work on the study until its first `trials` have ended or `stop`; yield each trial that this worker finishes.

        Trials that other living workers hold are waited for; those of dead ones run again with their parameters. After
        `stop` none starts. A trial whose objective raises an error is marked FAIL and the study goes on.

        Raises:
            RequestError: the objective refuses the data or the configuration, which would fail every trial.
            ThinfileError: all trials failed, or none ended in time.
        """
        while not self._have_ended(trials) and not stop():
            number = self._end_one(objective, trials)
            if number is None:
                time.sleep(WAIT_SECONDS)
            elif (trial := trials_of(self._study)[number]).state is TrialState.COMPLETE:
                yield self._result(trial)
        if not self._have_ended(trials):
            self._settle()
        if not self.finished():
            raise ThinfileError(_without_result(trials_of(self._study)))

    def finished(self) -> list[TrialResult]:
        """Return the finished trials by number."""
        return self._finished(trials_of(self._study))

    def _finished(self, trials: Sequence[FrozenTrial]) -> list[TrialResult]:
        return [self._result(trial) for trial in trials if trial.state is TrialState.COMPLETE]

    def _result(self, trial: FrozenTrial) -> TrialResult:
        if trial.number not in self._results:
            self._results[trial.number] = result_of(trial)
        return self._results[trial.number]

    def _have_ended(self, trials: int | None) -> bool:
        """Return whether so many trials, the first ones, have ended; without a number there is always one more."""
        return trials is not None and len(_ended(trials_of(self._study)[:trials])) == trials

    def _end_one(self, objective: Objective, trials: int | None) -> int | None:
        """End an abandoned trial, or else a new one, and return its number; None when others hold all that is left."""
        existing = trials_of(self._study)
        for abandoned in existing[:trials]:
            if not abandoned.state.is_finished():
                with self.locks.held(self._lock_of(abandoned.number)) as mine:
                    if mine and not trials_of(self._study)[abandoned.number].state.is_finished():
                        return self._evaluate(abandoned, objective)
        return self._end_new(objective, trials) if self._may_start(existing, trials) else None

    def _end_new(self, objective: Objective, trials: int | None) -> int | None:
        with ExitStack() as locks:
            # No other worker starts a trial meanwhile, so the number of the next one is known and can be locked before
            # the trial exists: no other worker ever sees it without its lock.
            with self.locks.held(f"{self.name}/ask") as may_ask:
                existing = trials_of(self._study)
                number = len(existing)
                if not may_ask or not self._may_start(existing, trials):
                    return None
                if not locks.enter_context(self.locks.held(self._lock_of(number))):
                    return None
                start_trial(self._study, self._drawn(number, existing), self._space)
            return self._evaluate(trials_of(self._study)[number], objective)

    def _may_start(self, existing: Sequence[FrozenTrial], trials: int | None) -> bool:
        """Return whether one more trial is needed and all that it is drawn from have ended."""
        number = len(existing)
        if trials is not None and number >= trials:
            return False
        return self._round is None or len(self._earlier(number, existing)) == number // self._round * self._round

    def _earlier(self, number: int, existing: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """Return the ended trials that a trial may depend on: those of earlier rounds, or all before it."""
        return _ended(existing[: number if self._round is None else number // self._round * self._round])

    def _drawn(self, number: int, existing: Sequence[FrozenTrial]) -> Parameters:
        """Return the parameters of a trial that is about to start."""
        earlier = self._earlier(number, existing)
        guided = self._guide(number, self._finished(earlier))
        return self._sampler.parameters(number, guided, earlier)

    def _evaluate(self, started: FrozenTrial, objective: Objective) -> int:
        trial, parameters = reopened(self._study, started), dict(started.params)
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
            self._note(started, answer)
            self._study.tell(trial, answer.values, skip_if_finished=True)
        return trial.number

    def _note(self, started: FrozenTrial, answer: ObjectiveValue) -> None:
        """Keep what belongs to a trial before it is finished; one that was killed in between has it already."""
        trial = reopened(self._study, started)
        if answer.notes:
            trial.set_user_attr(NOTES, dict(answer.notes))
        if self._largest_loss is not None and not trial.constraints:
            earlier = self._finished(self._earlier(started.number, trials_of(self._study)))
            best = max([answer.value, *(one.value for one in earlier)])
            trial.set_constraint(LOSS, best - answer.value - self._largest_loss)

    def _recorded(self, parameters: Parameters) -> ObjectiveValue | None:
        """Return the answer to parameters that were tried before: small spaces repeat a quarter of their trials."""
        return next((trial for trial in self.finished() if trial.parameters == parameters), None)

    def _settle(self) -> None:
        """Wait until the trials of living workers have ended, and mark those of dead ones FAIL."""
        while running := [trial for trial in trials_of(self._study) if not trial.state.is_finished()]:
            for one in running:
                with self.locks.held(self._lock_of(one.number)) as mine:
                    if mine:
                        trial = reopened(self._study, one)
                        trial.set_user_attr(FAILURE, "the worker was gone when the study stopped")
                        self._study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
            time.sleep(WAIT_SECONDS)

    def _lock_of(self, number: int) -> str:
        return f"{self.name}/trial/{number}"


def _ended(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    return [trial for trial in trials if trial.state.is_finished()]


def _without_result(trials: Sequence[FrozenTrial]) -> str:
    """Return the message of a study in which no trial succeeded: how often each cause came, the most frequent first."""
    if not trials:
        return "no trial ended before the study stopped; allow it more time or more trials"
    causes = Counter(str(trial.user_attrs.get(FAILURE, "unknown error")) for trial in trials).most_common()
    cause, count = causes[0]
    if len(causes) == 1:
        return f"all {len(trials)} trials failed with: {cause}"
    return f"all {len(trials)} trials failed, {count} of them with: {cause}; the log names the other causes"
