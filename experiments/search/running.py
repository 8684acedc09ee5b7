"""Works on a study: shows how far it is, and after Ctrl-C what to do next."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from experiments.experiment.experiment import Experiment
from experiments.experiment.recorded_settings import FAMILY
from experiments.search.budget import Budget
from experiments.search.study import Study
from experiments.search.trial_result import Objective, TrialResult, best_of
from pipelines.command.progress import progress

log = logging.getLogger(__name__)


def search(
    study: Study, experiment: Experiment, objective: Objective, budget: Budget, record: Callable[[], object]
) -> None:
    """Work on a study until its budget is used, and show how far it is.

    The study's record is opened after its first trial: to import MLflow takes longer than a first fit.
    """
    title, has_clock = f"{experiment.family} trials", budget.deadline is None
    with progress(title, budget.trials, log, has_clock=has_clock) as advance:
        for _ in study.run(objective, budget.trials, lambda: budget.is_over(study.finished())):
            record()
            finished = study.finished()
            advance(study.ended().trials, _state(finished, budget.left(finished)))


def help_search(study: Study, objective: Objective, budget: Budget) -> None:
    """Work on a study until its budget is used, beside the process that shows and records it."""
    for _ in study.run(objective, budget.trials, lambda: budget.is_over(study.finished())):
        pass


@contextmanager
def interruptible(study: Study, time: str | None) -> Iterator[None]:
    """Add to an interruption what was found and what to do next; `time` is that of the settings.

    Raises:
        KeyboardInterrupt: with this message.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_interrupted(study, time)) from None


def _state(finished: list[TrialResult], left: float | None) -> str:
    """Return the best trial so far in a few words, and the time that is left to the search."""
    if not finished:
        return "no trial finished yet"
    best = best_of(finished)
    words = f"best AUC {best.value:.4f}" + (f" by {best.parameters[FAMILY]}" if FAMILY in best.parameters else "")
    words = "no trial meets the constraints yet" if best.breach else words
    return words if left is None else f"{words}, {_clock(left)} left"


def _clock(seconds: float) -> str:
    """Return a duration as minutes and seconds.

    >>> _clock(594.6), _clock(9.2)
    ('9:55', '0:09')
    """
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def _interrupted(study: Study, time: str | None) -> str:
    """Return what to do after an interruption; empty before any trial has finished."""
    finished, ended = study.finished(), study.ended()
    if not finished:
        return ""
    count = f"{ended.trials} trial{'' if ended.trials == 1 else 's'}"
    longer = "" if time is None else f" for another {time}"
    if best_of(finished).breach:
        return f"interrupted after {count}, none of which meets the constraints: the same command goes on{longer}"
    return (
        f"interrupted after {count}, best cross-validated AUC {best_of(finished).value:.4f}: the same command goes "
        f"on{longer}; with trials={max(ended.leading, 1)} it registers the best model so far"
    )
