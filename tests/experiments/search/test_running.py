"""A search shows how far it is, also of trials without a result, and an interruption names what to do next."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from experiments.experiment.experiment import Experiment
from experiments.search.budget import Budget
from experiments.search.running import interruptible, search
from experiments.search.space import space_of_families
from experiments.search.study import Study
from experiments.search.trial_result import Objective, ObjectiveValue, Parameters, Pruned, TrialResult
from pipelines.storage.workspace import Workspace

AUTO = cast(Experiment, SimpleNamespace(family="auto"))


def study_at(folder: Path) -> Study:
    families = [f"family {number}" for number in range(9)]  # a configuration that comes again is not evaluated
    space = space_of_families({name: {} for name in families})

    def guide(number: int, _: Sequence[TrialResult]) -> Parameters:
        return {"family": families[number]}

    return Study(Workspace(folder), "study", space, guide=guide, seed=0)


def objective(values: Sequence[float | BaseException]) -> Objective:
    """Return an objective that answers with these values, or raises them, in turn."""
    answers = iter(values)

    def answer(parameters: Parameters, earlier: Sequence[TrialResult]) -> ObjectiveValue:
        value = next(answers)
        if isinstance(value, BaseException):
            raise value
        return ObjectiveValue(value)

    return answer


def test_it_counts_trials_that_were_given_up_and_names_the_family_of_the_best(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    study = study_at(tmp_path)
    search(study, AUTO, objective([Pruned(), 0.71, ValueError("no memory")]), Budget(3, None), record=lambda: None)
    lines = [record.getMessage() for record in caplog.records if record.name == "experiments.search.running"]
    assert lines == [
        "auto trials 1/3 no trial finished yet",
        "auto trials 2/3 best AUC 0.7100 by family 1",
        "auto trials 3/3 best AUC 0.7100 by family 1",
    ]
    ended = study.ended()
    assert (ended.finished, ended.pruned, ended.failed, ended.leading, ended.trials) == (1, 1, 1, 3, 3)


def test_a_search_by_time_shows_the_time_that_is_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    search(study_at(tmp_path), AUTO, objective([0.71]), Budget(1, time.monotonic() + 606), record=lambda: None)
    assert "best AUC 0.7100 by family 0, 10:00 left" in caplog.text or "9:5" in caplog.text


@pytest.mark.parametrize(
    ("values", "limit", "message"),
    [
        (
            [0.7, 0.71, Pruned()],
            None,
            "after 3 trials, best cross-validated AUC 0.7100: the same command goes on; with",
        ),
        ([0.7], "10m", "goes on for another 10m; with trials=1 it registers the best model so far"),
        ([0.7, Pruned(), 0.6], None, "with trials=3 it registers"),
        ([], None, "^$"),
    ],
)
def test_an_interruption_says_how_to_go_on_and_how_to_register(
    values: list[Any], limit: str | None, message: str, tmp_path: Path
) -> None:
    study = study_at(tmp_path)
    with pytest.raises(KeyboardInterrupt, match=message), interruptible(study, limit):
        search(study, AUTO, objective([*values, KeyboardInterrupt()]), Budget(9, None), record=lambda: None)
    search(study_at(tmp_path), AUTO, objective([0.6] * 9), Budget(9, None), record=lambda: None)
    assert study.ended().trials == 9


def test_the_first_trial_does_not_wait_for_the_record(tmp_path: Path) -> None:
    study, seen = study_at(tmp_path), list[int]()
    search(study, AUTO, objective([0.6] * 3), Budget(3, None), record=lambda: seen.append(study.ended().trials))
    assert seen == [1, 2, 3]
