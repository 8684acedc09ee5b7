"""Trials that break a constraint are avoided by the sampler, are not registered, and are named where none is left."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import optuna
import pytest

from experiments.experiment.experiment import resolve
from experiments.experiment.settings import ConstraintSettings, Search, TuneSettings
from experiments.fair_search.search_fair import search_fair
from experiments.search.calibration_error import Scored, cross_fitted_error
from experiments.search.constraints import constraints_of, feasible
from experiments.search.family_guide import FamilyGuide
from experiments.search.no_feasible_trial import without_feasible
from experiments.search.objective import behind_best
from experiments.search.optuna_adapter import study_storage
from experiments.search.portfolio import Configuration
from experiments.search.space import space_of
from experiments.search.study import Study
from experiments.search.trial_result import ObjectiveValue, Parameters, TrialResult, best_of, starting_with
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, RiskDirection, SplitSettings
from pipelines.candidates.families.catboost import CatBoostParameters
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.settings import CalibrationMethod, Range
from pipelines.command.verb import ExitCode
from pipelines.errors import ConfigurationError
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace

TRIALS = 24


def deeper_is_better(parameters: Parameters, _: object = ()) -> ObjectiveValue:
    """The score and the cost rise with the depth; the learning rate decides nothing."""
    return ObjectiveValue(parameters["depth"] / 10, notes={"cost": 2.0 * parameters["depth"]})


def study_at(path: Path, limits: ConstraintSettings) -> Study:
    space = space_of(CatBoostParameters(), {"depth": Range(3, 10), "learning_rate": Range(0.01, 0.3, log=True)})
    first = {"depth": 4, "learning_rate": 0.05}
    constraints = constraints_of(limits)
    return Study(Workspace(path), "study", space, guide=starting_with(first), seed=7, constraints=constraints)


def result(number: int, value: float, family: str = "a", **constraints: float) -> TrialResult:
    notes = {"aucs": [value - 0.01, value, value + 0.01 * (number + 1)], "cost": 7.25}
    return TrialResult(value, None, notes, number=number, parameters={"family": family}, constraints=constraints)


def test_the_sampler_avoids_trials_that_break_a_constraint_and_optuna_agrees_on_the_best(tmp_path: Path) -> None:
    study = study_at(tmp_path / "constrained", ConstraintSettings(cost=10))
    trials = list(study.run(deeper_is_better, TRIALS))
    assert {one.parameters["depth"]: one.constraints for one in trials} == {
        one.parameters["depth"]: {"cost": pytest.approx(one.parameters["depth"] / 5 - 1)} for one in trials
    }
    free = list(study_at(tmp_path / "free", ConstraintSettings()).run(deeper_is_better, TRIALS))
    assert [one.parameters for one in free[:8]] == [one.parameters for one in trials[:8]]  # random until then
    late = [one.parameters["depth"] <= 5 for one in trials[12:]]
    assert sum(late) > sum(one.parameters["depth"] <= 5 for one in free[12:])
    assert best_of(trials).parameters["depth"] == 5
    stored = optuna.load_study(study_name="study", storage=study_storage(Workspace(tmp_path / "constrained")))
    assert stored.best_trial.number == best_of(trials).number


def test_the_best_trial_meets_the_constraints_or_breaks_them_least() -> None:
    fine, better, far = result(0, 0.7, cost=-0.1), result(1, 0.9, cost=0.2, calibration=-0.5), result(2, 0.8, cost=0.4)
    assert best_of([fine, better, far]) == fine
    assert best_of([better, far]) == better
    assert feasible([fine, better, far]) == [fine]


def test_nothing_is_given_up_for_a_trial_that_breaks_a_constraint() -> None:
    earlier = [result(number, 0.8 - number / 100, cost=0.1) for number in range(5)]
    assert not behind_best(earlier)([0.5])
    assert behind_best([result(number, 0.8 - number / 100, cost=0.0) for number in range(5)])([0.5])


def test_families_without_a_feasible_trial_get_fewer_trials() -> None:
    guide = FamilyGuide([Configuration("dear"), Configuration("cheap"), Configuration("gone")])
    finished = [result(0, 0.9, "dear", cost=0.1), result(1, 0.6, "cheap", cost=-0.1)]
    assert [guide(number, finished)["family"] for number in range(3, 7)] == ["cheap", "dear", "cheap", "gone"]


def test_the_message_names_the_nearest_trial_and_limits_that_it_meets() -> None:
    trials = [result(0, 0.7, cost=0.45), result(1, 0.9, cost=2.0)]
    assert without_feasible(trials, ConstraintSettings(cost=5)) == [
        "nothing is registered: none of 2 trials meets the constraints",
        "  the nearest is trial 0, cross-validated AUC 0.7000: cost 7.25 is above constraints.cost=5",
        "  set constraints.cost=7.25, or allow more trials",
    ]


@pytest.mark.parametrize("rows", [300, 20_000])
def test_the_calibration_error_of_a_calibrated_score_is_that_of_chance(rows: int) -> None:
    random = np.random.default_rng(0)

    def division(distorted: bool) -> list[Scored]:
        truth = [random.normal(-1.0, 1.5, rows) for _ in range(4)]
        bad = [(random.random(rows) < 1 / (1 + np.exp(-one))).astype(np.int8) for one in truth]
        scores = [np.abs(one) * one * 3 + 1 if distorted else one * 2 - 3 for one in truth]
        return [(score, outcomes, None) for score, outcomes in zip(scores, bad, strict=True)]

    divisions = [division(distorted=False) for _ in range(5)]
    share = np.mean([bad.mean() for folds in divisions for _, bad, _ in folds])
    chance = 0.8 * np.sqrt(10 * share * (1 - share) / (4 * rows))
    assert cross_fitted_error(divisions, CalibrationMethod.logistic) == pytest.approx(chance, rel=0.35)
    distorted = [division(distorted=True) for _ in range(5)]
    assert cross_fitted_error(distorted, CalibrationMethod.logistic) > 0.03
    assert cross_fitted_error(distorted, CalibrationMethod.isotonic) < chance * 2


def settings_of(workspace: Workspace, data: DataSettings, **limits: object) -> TuneSettings:
    settings = TuneSettings(workspace=str(workspace.root), data=data, split=SplitSettings(folds=2), trials=1)
    settings.candidate = ScorecardSettings(space={"smoothing": Range(1, 50, log=True)})
    settings.constraints = ConstraintSettings(**limits)  # type: ignore[arg-type]
    return settings


@pytest.mark.integration
def test_where_no_trial_meets_the_constraints_nothing_is_registered(
    workspace: Workspace, german_settings: DataSettings
) -> None:
    outcome = tune(settings_of(workspace, german_settings, calibration=1e-6))
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    assert (outcome.result["version"], outcome.result["trials"]) == (None, 1)
    assert "is above constraints.calibration=1e-06" in str(outcome.summary[1])
    store = ModelStore(workspace)
    assert store.versions("credit_score") == []
    assert store.client.get_run(str(outcome.result["run_id"])).info.status == "FINISHED"
    (trial,) = store.read_record(str(outcome.result["run_id"]), "trials.json")
    assert 0.01 < trial["notes"]["calibration_error"] < 0.2


@pytest.mark.integration
def test_a_study_keeps_what_its_constraints_measured(workspace: Workspace, german_settings: DataSettings) -> None:
    german_settings.directions = {"duration_in_month": RiskDirection.riskier}
    outcome = tune(settings_of(workspace, german_settings, cost=1000.0, monotone=True))
    assert outcome.result["version"] == 1
    (trial,) = ModelStore(workspace).read_record(str(outcome.result["run_id"]), "trials.json")
    assert trial["notes"]["wrong_way"] == trial["constraints"]["monotone"] == 0
    assert trial["constraints"]["cost"] == pytest.approx(trial["notes"]["cost"] / 1000 - 1)


def test_constraints_belong_to_the_identity_of_a_study(workspace: Workspace, german_settings: DataSettings) -> None:
    limits: list[Mapping[str, object]] = [{}, {"cost": 5.0}, {"cost": 6.0}, {"calibration": 0.1}, {"monotone": True}]
    assert len({resolve(settings_of(workspace, german_settings, **one)).study for one in limits}) == len(limits)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"cost": 0.0}, "constraints.cost is 0; use a number above 0, for example constraints.cost=5, or null for"),
        ({"cost": -1.0}, "constraints.cost is -1; use a number above 0"),
        (
            {"calibration": float("nan")},
            "constraints.calibration is nan; use a number above 0, for example constraints.calibration=0.02, or",
        ),
    ],
)
def test_limits_are_refused_before_the_data_are_read(
    limits: dict[str, object], message: str, workspace: Workspace
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        tune(settings_of(workspace, DataSettings(path="/no/such/file.csv", label="bad"), **limits))


def test_directions_must_be_declared_to_be_kept_to(workspace: Workspace, german_settings: DataSettings) -> None:
    with pytest.raises(ConfigurationError, match=r"no feature has a declared direction; set data\.directions"):
        tune(settings_of(workspace, german_settings, monotone=True))


def test_a_fair_search_has_a_constraint_of_its_own(workspace: Workspace, german_settings: DataSettings) -> None:
    settings = settings_of(workspace, german_settings, cost=5.0)
    settings.search = Search.fair
    with pytest.raises(ConfigurationError, match="constraints are set, and search=fair has one of its own"):
        search_fair(settings)
