"""What refits show, against tables in which it is known which features and rows matter."""

from pathlib import Path

import numpy as np
import pytest

from experiments.compare.study_page.ablation import ablation
from experiments.compare.study_page.learning_curve import learning_curve
from experiments.compare.study_page.refits import Refits
from experiments.compare.study_page.trial_calibration import best_few, trial_calibration
from experiments.search.trial_result import TrialResult
from tests.experiments.compare.study_page.experiments import experiment_on


@pytest.fixture(scope="module")
def refits(tmp_path_factory: pytest.TempPathFactory) -> Refits:
    return Refits(experiment_on(tmp_path_factory.mktemp("table")))


@pytest.fixture(scope="module")
def full(refits: Refits) -> list[float]:
    return refits.aucs({}, refits.folds, "all")


def test_only_the_group_with_the_signal_is_missed(refits: Refits, full: list[float]) -> None:
    # when
    groups = {tuple(one["features"]): one for one in ablation(refits, {}, full, {})["groups"]}
    # then the two copies are one group: without one of them alone nothing is lost
    assert set(groups) == {("copy", "signal"), ("noise",), ("shade",)}
    assert groups["copy", "signal"]["low"] > 0.1
    for noise in (("noise",), ("shade",)):
        assert groups[noise]["low"] <= 0 <= groups[noise]["high"]


def test_of_many_groups_the_least_important_are_left_out_together(
    refits: Refits, full: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr("experiments.compare.study_page.ablation.MOST_GROUPS", 2)
    # when
    groups = ablation(refits, {}, full, {"copy": 2.0, "noise": 0.1})["groups"]
    # then
    assert [(one["features"], one["together"]) for one in groups] == [(["copy", "signal"], 1), (["noise", "shade"], 2)]


def test_fewer_rows_are_no_better_and_all_rows_are_the_reference(refits: Refits, full: list[float]) -> None:
    # when
    curve = learning_curve(refits, {}, full)
    # then an eighth of 336 rows is too few to fit on
    assert [point["step"] for point in curve["points"]] == ["a quarter of the rows", "half of the rows"]
    assert curve["all"]["auc"] == pytest.approx(np.mean(full))
    for point in curve["points"]:
        assert point["low"] <= point["difference"] <= point["high"]
        assert point["auc"] - curve["all"]["auc"] == pytest.approx(point["difference"])
        assert point["difference"] < 0.02


def test_with_times_the_curve_is_over_months_of_history(tmp_path: Path) -> None:
    # given two years of applications
    refits = Refits(experiment_on(tmp_path, with_times=True))
    # when
    curve = learning_curve(refits, {}, refits.aucs({}, refits.folds, "all"))
    # then
    months = [point["months"] for point in curve["points"]]
    rows = [point["rows"] for point in curve["points"]]
    assert curve["by"] == "months"
    assert months == sorted(months)
    assert set(months) <= {3, 6, 12}
    assert rows == sorted(rows)
    assert all(point["folds"] <= len(refits.folds) for point in curve["points"])


def test_out_of_fold_probabilities_of_a_scorecard_are_about_calibrated(refits: Refits) -> None:
    # when
    (calibration,) = trial_calibration(refits, [TrialResult(0.8, number=4, parameters={})])["trials"]
    # then each row is counted once
    assert calibration["rows"] == len(refits.experiment.development.bad)
    assert calibration["slope"]["low"] < 1 < calibration["slope"]["high"]
    assert calibration["intercept"]["low"] < 0 < calibration["intercept"]["high"]


def test_the_best_few_are_the_best_of_each_family() -> None:
    trials = [
        TrialResult(value, number=number, parameters={"family": family})
        for number, (value, family) in enumerate([(0.7, "a"), (0.8, "b"), (0.79, "b"), (0.75, "a")])
    ]
    assert [trial.number for trial in best_few(trials)] == [1, 3]
    alone = [TrialResult(trial.value, number=trial.number, parameters={}) for trial in trials]
    assert [trial.number for trial in best_few(alone)] == [1, 2, 3, 0]
