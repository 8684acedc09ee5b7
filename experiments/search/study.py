"""A study that can be killed, continued and shared by workers without changing its trials."""

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import takewhile
from statistics import fmean

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.search.optuna_adapter import (
    Direction,
    StoredStudy,
    result_of,
    study_storage,
)
from experiments.search.sampler import Sampler
from experiments.search.space import Space
from experiments.search.trial_result import (
    AUCS,
    FAILURE,
    NOTES,
    Constraint,
    Guide,
    Objective,
    ObjectiveValue,
    Parameters,
    Pruned,
    TrialResult,
    with_family,
    without_family,
)
from pipelines.errors import RequestError, ThinfileError
from pipelines.storage.worker_locks import WorkerLocks
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

WAIT_SECONDS = 0.1

AT_ONCE = 4
"""So many trials of a deterministic study may run at the same time: each is drawn without the three before it."""

SCORE = "cross-validated AUC"
"""The name of the first objective, as optuna-dashboard shows it."""


@dataclass(frozen=True)
class Ended:
    """How many trials of a study have ended: finished with a value, pruned, or failed with an error.

    `leading` counts the first ones up to one that has not ended.
    """

    finished: int
    pruned: int
    failed: int
    leading: int

    @property
    def trials(self) -> int:
        """All that have ended."""
        return self.finished + self.pruned + self.failed


def never() -> bool:
    """Return that there is no reason to stop."""
    return False


class Study:
    """A search over named ranges for the highest score, kept in a database under its name.

    A deterministic study has the same trials for any number of workers: those of one round are drawn from the trials of
    earlier rounds alone, and start when these have ended. `title` is the name that people see. `second` is the name of
    the second objective, which is minimised; without it the score is the only one. Each of the named `constraints` is
    kept with every trial, for the sampler and for optuna-dashboard.
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
        second: str | None = None,
        constraints: Mapping[str, Constraint] | None = None,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        objectives: dict[str, Direction] = {SCORE: "maximize"}
        if second is not None:
            objectives[second] = "minimize"
        self.name = name
        self._space = dict(space)
        self._guide = guide
        self._sampler = Sampler(seed, space, list(objectives.values()))
        self._at_once = AT_ONCE if deterministic else None
        self._constraints = constraints or {}
        self._results: dict[int, TrialResult] = {}
        self._by_parameters: dict[frozenset[tuple[str, object]], TrialResult] = {}
        storage = study_storage(workspace)
        self.locks = WorkerLocks(storage.engine)
        self._study = StoredStudy(storage, title or name, objectives)

    def run(
        self, objective: Objective, trials: int | None = None, stop: Callable[[], bool] = never
    ) -> Iterator[TrialResult | None]:
        """Work on the study until its first `trials` have ended or `stop`; yield each trial that this worker ends.

        A trial that was pruned or failed has no result and is yielded as None.
        Trials that other living workers hold are waited for; those of dead ones run again with their parameters. After
        `stop` none starts. A trial whose objective raises an error is marked FAIL and the study goes on.

        Raises:
            RequestError: the objective refuses the data or the configuration, which would fail every trial.
            ThinfileError: all trials failed, or none ended in time.
        """
        existing = self._study.trials()
        while not _have_ended(existing, trials) and not stop():
            number = self._end_one(existing, objective, trials)
            if number is None:
                time.sleep(WAIT_SECONDS)
            existing = self._study.trials()
            if number is not None:
                is_finished = existing[number].state is TrialState.COMPLETE
                yield self._result(existing[number]) if is_finished else None
        if not _have_ended(existing, trials):
            self._settle()
        if not self.finished():
            raise ThinfileError(_without_result(self._study.trials()))

    def note(self, name: str, value: object) -> None:
        """Keep a JSON value under a name with the study, unless it has that already."""
        self._study.note_of_all(name, value)

    def finished(self) -> list[TrialResult]:
        """Return the finished trials by number."""
        return self._finished(self._study.trials())

    def ended(self) -> Ended:
        """Return how many trials have ended, and how."""
        trials = self._study.trials()
        states = Counter(trial.state for trial in trials)
        leading = sum(1 for _ in takewhile(lambda trial: trial.state.is_finished(), trials))
        finished, pruned, failed = (states[one] for one in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL))
        return Ended(finished, pruned, failed, leading)

    def _finished(self, trials: Sequence[FrozenTrial]) -> list[TrialResult]:
        return [self._result(trial) for trial in trials if trial.state is TrialState.COMPLETE]

    def _result(self, trial: FrozenTrial) -> TrialResult:
        if trial.number not in self._results:
            result = result_of(trial)
            self._results[trial.number] = result
            self._by_parameters.setdefault(frozenset(result.parameters.items()), result)
        return self._results[trial.number]

    def _end_one(self, existing: Sequence[FrozenTrial], objective: Objective, trials: int | None) -> int | None:
        """End an abandoned trial, or else a new one, and return its number; None when others hold all that is left."""
        for abandoned in existing[:trials]:
            if not abandoned.state.is_finished():
                with self.locks.held(self._lock_of(abandoned.number)) as mine:
                    if mine and not (now := self._study.trials())[abandoned.number].state.is_finished():
                        return self._evaluate(abandoned, now, objective)
        return self._end_new(objective, trials) if self._may_start(existing, trials) else None

    def _end_new(self, objective: Objective, trials: int | None) -> int | None:
        with ExitStack() as locks:
            # No other worker starts a trial meanwhile, so the number of the next one is known and can be locked before
            # the trial exists: no other worker ever sees it without its lock.
            with self.locks.held(f"{self.name}/ask") as may_ask:
                existing = self._study.trials()
                number = len(existing)
                if not may_ask or not self._may_start(existing, trials):
                    return None
                if not locks.enter_context(self.locks.held(self._lock_of(number))):
                    return None
                trial = self._study.start(number, self._drawn(number, existing), self._space)
            return self._evaluate(trial, existing, objective)

    def _may_start(self, existing: Sequence[FrozenTrial], trials: int | None) -> bool:
        """Return whether one more trial is needed and all that it is drawn from have ended."""
        number = len(existing)
        if trials is not None and number >= trials:
            return False
        return self._at_once is None or len(self._earlier(number, existing)) == self._visible(number)

    def _earlier(self, number: int, existing: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """Return the ended trials that a trial may depend on."""
        return _ended(existing[: self._visible(number)])

    def _visible(self, number: int) -> int:
        """Return how many of the first trials a trial may depend on: those that it never runs beside."""
        return number if self._at_once is None else max(0, number + 1 - self._at_once)

    def _drawn(self, number: int, existing: Sequence[FrozenTrial]) -> Parameters:
        """Return the parameters of a trial that is about to start."""
        earlier = self._earlier(number, existing)
        guided = self._guide(number, self._finished(earlier))
        return self._sampler.parameters(number, with_family(guided), earlier)

    def _evaluate(self, trial: FrozenTrial, existing: Sequence[FrozenTrial], objective: Objective) -> int:
        parameters, earlier = without_family(trial.params), self._finished(self._earlier(trial.number, existing))
        # A worker whose lock expired while its machine slept may find that another has ended its trial: all agree.
        try:
            answer = self._recorded(parameters, existing) or objective(parameters, earlier)
            if any(map(math.isnan, answer.values)):
                raise ValueError("the objective is not a number")
        except RequestError:
            raise
        except Pruned as pruned:
            self._show_course(trial, pruned.aucs)
            self._study.end(trial, TrialState.PRUNED)
        except Exception as error:
            log.warning("trial %d failed and the study goes on: %s", trial.number, error)
            self._study.note(trial, FAILURE, f"{type(error).__name__}: {error}")
            self._study.end(trial, TrialState.FAIL)
        else:
            self._note(trial, answer, earlier)
            self._study.end(trial, TrialState.COMPLETE, answer.values)
        return trial.number

    def _note(self, trial: FrozenTrial, answer: ObjectiveValue, earlier: Sequence[TrialResult]) -> None:
        """Keep what belongs to a trial before it is finished; one that was killed in between has it already."""
        if answer.notes:
            self._study.note(trial, NOTES, dict(answer.notes))
        self._show_course(trial, answer.notes.get(AUCS, ()))
        for name, constraint in self._constraints.items():
            self._study.constrain(trial, name, constraint(answer, earlier))

    def _show_course(self, trial: FrozenTrial, aucs: Sequence[float]) -> None:
        """Keep the mean AUC of a trial's folds after each of them, which optuna-dashboard draws."""
        if aucs:
            self._study.show_course(trial, [fmean(aucs[: count + 1]) for count in range(len(aucs))])

    def _recorded(self, parameters: Parameters, existing: Sequence[FrozenTrial]) -> ObjectiveValue | None:
        """Return the answer to parameters that were tried before: small spaces repeat a quarter of their trials."""
        self._finished(existing)  # reads what is new
        return self._by_parameters.get(frozenset(parameters.items()))

    def _settle(self) -> None:
        """Wait until the trials of living workers have ended, and mark those of dead ones FAIL."""
        while running := [trial for trial in self._study.trials() if not trial.state.is_finished()]:
            for trial in running:
                with self.locks.held(self._lock_of(trial.number)) as mine:
                    if mine:
                        self._study.note(trial, FAILURE, "the worker was gone when the study stopped")
                        self._study.end(trial, TrialState.FAIL)
            time.sleep(WAIT_SECONDS)

    def _lock_of(self, number: int) -> str:
        return f"{self.name}/trial/{number}"


def _have_ended(existing: Sequence[FrozenTrial], trials: int | None) -> bool:
    """Return whether so many trials, the first ones, have ended; without a number there is always one more."""
    return trials is not None and len(_ended(existing[:trials])) == trials


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
