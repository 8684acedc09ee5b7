"""Studies that are killed, repeated or shared end with the same trials."""

import multiprocessing
from pathlib import Path

import pytest

from experiments.study import Answer, Objective, Parameters, Study, TrialResult, best_of, space_of, starting_with
from pipelines.errors import ConfigurationError
from pipelines.settings import CatBoostParameters, Range, ScorecardParameters

FIRST = {"depth": 6, "learning_rate": 0.04}
RANGES = {"depth": Range(3, 8), "learning_rate": Range(0.01, 0.3, log=True)}
TRIALS = 16


class Interrupted(Exception):
    """Stands for a process that dies."""


def score(parameters: Parameters) -> Answer:
    return Answer(-((parameters["depth"] - 5) ** 2) - (parameters["learning_rate"] - 0.1) ** 2)


def study_at(path: Path) -> Study:
    return Study(path, "study", space_of(CatBoostParameters(), RANGES), guide=starting_with(FIRST), seed=7)


def finished(path: Path, objective: Objective = score) -> list[TrialResult]:
    study = study_at(path)
    for _ in study.run(objective, TRIALS):
        pass
    return study.finished()


def test_it_starts_with_the_configured_parameters_and_never_ends_below_them(tmp_path: Path) -> None:
    trials = finished(tmp_path / "studies.db")
    assert trials[0].parameters == FIRST
    assert best_of(trials).value >= score(FIRST).value


def test_interrupted_anywhere_it_ends_with_the_same_trials(tmp_path: Path) -> None:
    expected = finished(tmp_path / "undisturbed.db")
    for stop in range(0, TRIALS, 3):
        calls = iter(range(TRIALS))

        def dies(parameters: Parameters, stop: int = stop, calls: "object" = calls) -> Answer:
            if next(calls) == stop:  # type: ignore[call-overload]
                raise Interrupted
            return score(parameters)

        path = tmp_path / f"{stop}.db"
        with pytest.raises(Interrupted):
            finished(path, dies)
        assert finished(path) == expected


def test_a_longer_study_goes_on_where_a_shorter_one_ended(tmp_path: Path) -> None:
    short = study_at(tmp_path / "studies.db")
    assert len(list(short.run(score, 5))) == 5
    assert finished(tmp_path / "studies.db") == finished(tmp_path / "at_once.db")


def work(path: str) -> None:
    finished(Path(path))


def test_workers_share_a_study_without_losing_or_doubling_trials(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work, args=(str(tmp_path / "studies.db"),)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert [trial.number for trial in study_at(tmp_path / "studies.db").finished()] == list(range(TRIALS))


def test_parameters_that_were_tried_are_answered_from_the_record(tmp_path: Path) -> None:
    asked: list[Parameters] = []

    def counted(parameters: Parameters) -> Answer:
        asked.append(parameters)
        return Answer(float(parameters["max_bins"]))

    space = space_of(ScorecardParameters(), {"max_bins": Range(3, 5)})
    study = Study(tmp_path / "studies.db", "small", space, guide=starting_with({"max_bins": 4}), seed=0)
    assert len(list(study.run(counted, 12))) == 12
    assert len(asked) == len({trial.parameters["max_bins"] for trial in study.finished()}) <= 3


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"dept": Range(3, 8)}, "received 'dept'; did you mean depth"),
        ({"depth": Range(8, 3)}, "from a low to a higher number.*received 8 to 3"),
        ({"learning_rate": Range(0, 1, log=True)}, "above 0 when log"),
    ],
)
def test_a_wrong_range_is_told(ranges: dict[str, Range], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        space_of(CatBoostParameters(), ranges)
