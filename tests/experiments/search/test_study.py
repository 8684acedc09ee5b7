"""Studies that are killed, repeated or shared end with the same trials."""

import math
import multiprocessing
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import optuna
import pytest
from optuna.trial import TrialState

from experiments.fair_search.front import loss_at_most
from experiments.search.optuna_adapter import study_storage
from experiments.search.space import space_of
from experiments.search.study import AT_ONCE, Study
from experiments.search.trial_result import Objective, ObjectiveValue, Parameters, TrialResult, best_of, starting_with
from pipelines.candidates.families.catboost import CatBoostParameters
from pipelines.candidates.families.scorecard import ScorecardParameters
from pipelines.candidates.settings import Range
from pipelines.errors import ConfigurationError, DataError, ThinfileError
from pipelines.storage.workspace import Workspace

FIRST = {"depth": 6, "learning_rate": 0.04}
RANGES = {"depth": Range(3, 8), "learning_rate": Range(0.01, 0.3, log=True)}
TRIALS = 16


class Interrupted(BaseException):
    """Stands for a process that dies."""


def score(parameters: Parameters, _: object = ()) -> ObjectiveValue:
    return ObjectiveValue(-((parameters["depth"] - 5) ** 2) - (parameters["learning_rate"] - 0.1) ** 2)


def study_at(path: Path, database: str | None = None) -> Study:
    space = space_of(CatBoostParameters(), RANGES)
    return Study(Workspace(path, database), "study", space, guide=starting_with(FIRST), seed=7)


def finished(path: Path, objective: Objective = score, database: str | None = None) -> list[TrialResult]:
    study = study_at(path, database)
    for _ in study.run(objective, TRIALS):
        pass
    return study.finished()


def test_it_starts_with_the_configured_parameters_and_never_ends_below_them(tmp_path: Path) -> None:
    trials = finished(tmp_path)
    assert trials[0].parameters == FIRST
    assert best_of(trials).value >= score(FIRST).value


def test_interrupted_anywhere_it_ends_with_the_same_trials(tmp_path: Path) -> None:
    expected = finished(tmp_path / "undisturbed")
    for stop in range(0, TRIALS, 3):
        calls = iter(range(TRIALS))

        def dies(parameters: Parameters, _: object = (), stop: int = stop, calls: "object" = calls) -> ObjectiveValue:
            if next(calls) == stop:  # type: ignore[call-overload]
                raise Interrupted
            return score(parameters)

        path = tmp_path / f"{stop}"
        with pytest.raises(Interrupted):
            finished(path, dies)
        assert finished(path) == expected


def test_a_longer_study_goes_on_where_a_shorter_one_ended(tmp_path: Path) -> None:
    short = study_at(tmp_path)
    assert len(list(short.run(score, 5))) == 5
    assert finished(tmp_path) == finished(tmp_path / "at_once")


def slow(parameters: Parameters, _: object = ()) -> ObjectiveValue:
    """The score after a while of its own, so that the trials of a round end in another order than they start."""
    time.sleep(0.02 * (parameters["depth"] % 3))
    return score(parameters)


def work(root: str, database: str | None) -> None:
    finished(Path(root), slow, database)


def test_any_number_of_workers_ends_with_the_same_trials(either_workspace: Workspace, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    where = (str(either_workspace.root), either_workspace.database)
    workers = [context.Process(target=work, args=where) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert finished(Path(where[0]), slow, where[1]) == finished(tmp_path / "alone")


def test_trials_that_may_run_at_once_do_not_depend_on_each_other(tmp_path: Path) -> None:
    """Whatever one trial answers, those that may run beside it have the same parameters; later ones differ."""
    changed = 3 * AT_ONCE  # by then the sampler has enough trials to learn from
    calls = iter(range(2 * changed))

    def differs(parameters: Parameters, _: object = ()) -> ObjectiveValue:
        answer = score(parameters)
        return ObjectiveValue(answer.value + 9.0) if next(calls) == changed else answer

    study = study_at(tmp_path / "other")
    list(study.run(differs, 2 * changed))
    list(study_at(tmp_path / "expected").run(score, 2 * changed))
    expected = study_at(tmp_path / "expected").finished()
    same = [one.parameters == two.parameters for one, two in zip(study.finished(), expected, strict=True)]
    assert all(same[: changed + AT_ONCE])
    assert not all(same[changed + AT_ONCE :])


def test_not_deterministic_a_trial_learns_from_all_that_have_ended(tmp_path: Path) -> None:
    earlier: list[int] = []

    def counting(number: int, finished: Sequence[TrialResult]) -> Parameters:
        earlier.append(len(finished))
        return FIRST if number == 0 else {}

    space = space_of(CatBoostParameters(), RANGES)
    for deterministic in (True, False):
        study = Study(
            Workspace(tmp_path), f"{deterministic}", space, guide=counting, seed=7, deterministic=deterministic
        )
        list(study.run(score, 2 * AT_ONCE))
    assert earlier == [0, 0, 0, 0, 1, 2, 3, 4, *range(2 * AT_ONCE)]


def test_a_study_stops_when_it_is_asked_to_and_no_trial_is_left_running(tmp_path: Path) -> None:
    # given: a trial that a dead worker left
    def dies(parameters: Parameters, _: object = ()) -> ObjectiveValue:
        raise Interrupted

    with pytest.raises(Interrupted):
        finished(tmp_path, dies)
    # when: the study goes on without any time left
    study = study_at(tmp_path)
    with pytest.raises(ThinfileError, match="failed with: the worker was gone when the study stopped"):
        list(study.run(score, None, lambda: True))
    # then
    assert [trial.state for trial in study._study.trials()] == [TrialState.FAIL]
    answers = iter([False, False, False, True])
    assert len(list(study.run(score, None, lambda: next(answers)))) == 3
    with pytest.raises(ThinfileError, match="no trial ended before the study stopped; allow it more time"):
        list(study_at(tmp_path / "empty").run(score, None, lambda: True))


def test_people_see_the_title_and_named_objectives(tmp_path: Path) -> None:
    space = space_of(CatBoostParameters(), RANGES)
    workspace = Workspace(tmp_path)
    for second in (None, "gap in approval rates"):
        Study(workspace, f"{second}", space, guide=guide, seed=7, title=f"credit_score {second}", second=second)
    storage = study_storage(workspace)
    names = {study.study_name: optuna.load_study(study_name=study.study_name, storage=storage).metric_names
             for study in storage.get_all_studies()}  # fmt: skip
    assert names == {
        "credit_score None": ["cross-validated AUC"],
        "credit_score gap in approval rates": ["cross-validated AUC", "gap in approval rates"],
    }


def test_parameters_that_were_tried_are_answered_from_the_record(tmp_path: Path) -> None:
    asked: list[Parameters] = []

    def counted(parameters: Parameters, _: object = ()) -> ObjectiveValue:
        asked.append(parameters)
        return ObjectiveValue(float(parameters["max_bins"]))

    space = space_of(ScorecardParameters(), {"max_bins": Range(5, 7)})
    study = Study(Workspace(tmp_path), "small", space, guide=starting_with({"max_bins": 6}), seed=0)
    assert len(list(study.run(counted, 12))) == 12
    assert len(asked) == len({trial.parameters["max_bins"] for trial in study.finished()}) <= 3


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"dept": Range(3, 8)}, "unknown parameter 'dept'; did you mean depth"),
        ({"depth": Range(8, 3)}, "goes from 8 to 3; use a low number and a higher one$"),
        ({"learning_rate": Range(0, 1, log=True)}, "both above 0 for log"),
        ({"depth": Range(7, 10)}, "parameters.depth is 6, outside its search range of 7 to 10; change it, or cand"),
        ({"learning_rate": Range(0.001, 0.01)}, "parameters.learning_rate is 0.05, outside its search range"),
    ],
)
def test_a_wrong_range_is_refused(ranges: dict[str, Range], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        space_of(CatBoostParameters(), ranges)


def fails_at_even_depths(parameters: Parameters, _: object = ()) -> ObjectiveValue:
    if parameters["depth"] % 2 == 0:
        raise ValueError(f"depth {parameters['depth']} is too much")
    return score(parameters)


def test_a_trial_that_fails_is_marked_and_the_study_goes_on(tmp_path: Path) -> None:
    trials = finished(tmp_path, fails_at_even_depths)
    assert {trial.parameters["depth"] % 2 for trial in trials} == {1}
    study = study_at(tmp_path)
    failed = [trial for trial in study._study.trials() if trial.state == TrialState.FAIL]
    assert len(failed) + len(trials) == TRIALS
    assert failed[0].number == 0
    assert failed[0].user_attrs["failure"] == "ValueError: depth 6 is too much"
    assert finished(tmp_path, score) == trials, "an ended study runs nothing again"


def test_an_objective_that_is_not_a_number_fails_its_trial(tmp_path: Path) -> None:
    with pytest.raises(ThinfileError, match="all 16 trials failed with: ValueError: the objective is not a number"):
        finished(tmp_path, lambda _, __: ObjectiveValue(math.nan))


def test_a_trial_that_another_worker_has_ended_meanwhile_stays_as_it_is(tmp_path: Path) -> None:
    """As when a machine sleeps until its lock has expired."""
    sleeper, expected = study_at(tmp_path), finished(tmp_path / "undisturbed")

    def sleeps(parameters: Parameters, _: object = ()) -> ObjectiveValue:
        (running,) = [trial for trial in sleeper._study.trials() if trial.state is TrialState.RUNNING]
        if running.number == 5:
            study_at(tmp_path)._study.end(running, TrialState.COMPLETE, score(parameters).values)
            return ObjectiveValue(1e9, notes={"late": True})
        return score(parameters)

    list(sleeper.run(sleeps, TRIALS))
    assert sleeper.finished() == expected


def test_a_study_of_which_every_trial_fails_names_the_most_frequent_cause(tmp_path: Path) -> None:
    def fails(parameters: Parameters, _: object = ()) -> ObjectiveValue:
        raise ValueError("no such device")

    def fails_in_two_ways(parameters: Parameters, _: object = ()) -> ObjectiveValue:
        if parameters == FIRST:
            raise MemoryError
        return fails(parameters)

    with pytest.raises(ThinfileError, match=r"^all 16 trials failed with: ValueError: no such device$"):
        finished(tmp_path / "one", fails)
    with pytest.raises(ThinfileError, match=r"^all 16 trials failed, 15 of them with: ValueError: no such device; the"):
        finished(tmp_path / "two", fails_in_two_ways)


def test_a_request_that_no_trial_can_answer_ends_the_study_and_leaves_its_trial_to_be_repeated(tmp_path: Path) -> None:
    def refuses(parameters: Parameters, _: object = ()) -> ObjectiveValue:
        raise DataError("fold 1 has no bads")

    with pytest.raises(DataError, match="fold 1"):
        finished(tmp_path, refuses)
    assert finished(tmp_path) == finished(tmp_path / "undisturbed")


def two_objectives(parameters: Parameters, _: object = ()) -> ObjectiveValue:
    near = -((parameters["learning_rate"] - 0.1) ** 2)
    return ObjectiveValue(
        near - (parameters["depth"] - 8) ** 2 / 100, parameters["depth"] / 8, {"seen": parameters["depth"]}
    )


def guide(number: int, earlier: Sequence[TrialResult]) -> Parameters:
    """Every third trial follows the most accurate one, the next one leaves all to the sampler, the others the depth."""
    if number == 0 or not earlier:
        return FIRST
    best = best_of(earlier).parameters
    return [{**best, "depth": max(3, best["depth"] - 1)}, {}, {"depth": 8}][number % 3]


def fair_study_at(path: Path) -> Study:
    space = space_of(CatBoostParameters(), RANGES)
    constraints = {"loss": loss_at_most(0.05)}
    return Study(Workspace(path), "fair", space, guide=guide, seed=7, second="gap", constraints=constraints)


def test_a_study_of_two_objectives_interrupted_anywhere_ends_with_the_same_trials(tmp_path: Path) -> None:
    expected = list(fair_study_at(tmp_path / "undisturbed").run(two_objectives, TRIALS))
    for stop in (0, 3, 7):
        calls = iter(range(TRIALS))

        def dies(parameters: Parameters, _: object = (), stop: int = stop, calls: "object" = calls) -> ObjectiveValue:
            if next(calls) == stop:  # type: ignore[call-overload]
                raise Interrupted
            return two_objectives(parameters)

        with pytest.raises(Interrupted):
            list(fair_study_at(tmp_path / f"{stop}").run(dies, TRIALS))
        study = fair_study_at(tmp_path / f"{stop}")
        list(study.run(two_objectives, TRIALS))
        assert study.finished() == expected
    assert [one.notes for one in expected] == [{"seen": one.parameters["depth"]} for one in expected]


def test_a_death_between_the_notes_of_a_trial_and_its_end_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = list(fair_study_at(tmp_path / "undisturbed").run(two_objectives, 3))

    def dies(*_: object, **__: object) -> None:
        raise Interrupted

    killed = fair_study_at(tmp_path / "killed")
    monkeypatch.setattr(killed._study, "end", dies)
    with pytest.raises(Interrupted):
        list(killed.run(two_objectives, 3))
    study = fair_study_at(tmp_path / "killed")
    list(study.run(two_objectives, 3))
    assert study.finished() == expected


def test_trials_too_far_below_the_best_of_earlier_ones_break_the_constraint(tmp_path: Path) -> None:
    study = fair_study_at(tmp_path)
    list(study.run(two_objectives, TRIALS))
    trials = study._study.trials()
    for trial in trials:
        earlier = trials[: max(0, trial.number + 1 - AT_ONCE)]
        best = max(one.values[0] for one in [*earlier, trial])
        assert trial.constraints == {"loss": pytest.approx(best - trial.values[0] - 0.05)}


def test_what_a_guide_says_is_tried_and_what_it_leaves_out_is_tuned_for_the_score(tmp_path: Path) -> None:
    trials = list(fair_study_at(tmp_path).run(two_objectives, 48))
    tuned = [one for one in trials[AT_ONCE:] if one.number % 3 == 2]
    assert {one.parameters["depth"] for one in tuned} == {8}
    early, late = tuned[:5], tuned[-5:]  # before, and after, the ten trials that are drawn at random
    assert median(one.value for one in late) > median(one.value for one in early)  # TPE explores now and then
