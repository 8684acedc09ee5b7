"""A study may begin with what earlier ones found; these are looked up once and belong to the study from then on."""

import json
from dataclasses import replace

import optuna
import pytest

from experiments.experiment.experiment import Experiment, resolve
from experiments.experiment.settings import Search, TuneSettings
from experiments.experiment.warm_starts import WarmStart
from experiments.fair_search.search_fair import search_fair
from experiments.replay.replay import replay
from experiments.replay.settings import ReplaySettings
from experiments.search.optuna_adapter import study_storage
from experiments.search.plan import plan
from experiments.search.space import space_of
from experiments.search.stored_studies import study_names
from experiments.search.study import Study
from experiments.search.study_database import existing_studies
from experiments.search.trial_result import Guide, Objective, ObjectiveValue, Parameters, TrialResult, starting_with
from experiments.search.tune import tune
from experiments.search.warm_start import MOST_OF_A_FAMILY, best_of_earlier, shape_of, started
from pipelines.applications.settings import DataSettings, SplitSettings
from pipelines.candidates.families.catboost import CatBoostParameters
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.settings import AutoSettings, Range
from pipelines.command.verb import ExitCode
from pipelines.errors import ConfigurationError
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace

RANGES = {"depth": Range(3, 8), "learning_rate": Range(0.01, 0.3, log=True)}
FIRST = {"depth": 6, "learning_rate": 0.02}
SPACES = {"catboost": space_of(CatBoostParameters(), RANGES)}
SHAPE = "the same features"


def market(best_rate: float) -> Objective:
    """Return the objective of a market in which shallow trees and one learning rate do best."""

    def score(parameters: Parameters, _: object) -> ObjectiveValue:
        return ObjectiveValue(0.8 - abs(parameters["depth"] - 4) / 50 - abs(parameters["learning_rate"] - best_rate))

    return score


def run_study(
    workspace: Workspace,
    name: str,
    objective: Objective,
    *,
    trials: int,
    guide: Guide,
    seed: int = 0,
    shape: str = SHAPE,
) -> list[TrialResult]:
    study = Study(workspace, name, SPACES["catboost"], guide=guide, seed=seed, title=f"score catboost {name}")
    study.note("shape", shape)
    return list(study.run(objective, trials))


def starts_in(workspace: Workspace) -> list[WarmStart]:
    engine = existing_studies(workspace)
    assert engine is not None
    with engine.connect() as connection:
        return best_of_earlier(connection, study_names(connection), SHAPE, SPACES)


@pytest.mark.parametrize("seed", [0, 1])
def test_on_a_redrawn_market_a_warm_study_is_ahead_of_a_cold_one_and_the_cold_one_stays_as_it_is(
    workspace: Workspace, seed: int
) -> None:
    before = run_study(workspace, "cold0", market(0.09), trials=10, guide=starting_with(FIRST), seed=seed)
    run_study(workspace, "earlier", market(0.1), trials=20, guide=starting_with(FIRST), seed=seed + 5)
    starts = starts_in(workspace)
    guide = starting_with(FIRST, *(one.parameters for one in starts))
    warm = run_study(workspace, "warm", market(0.09), trials=10, guide=guide, seed=seed)
    cold = run_study(workspace, "cold1", market(0.09), trials=10, guide=starting_with(FIRST), seed=seed)
    assert cold == before
    assert [one.parameters for one in warm[1 : len(starts) + 1]] == [dict(one.parameters) for one in starts]
    for trials in (len(starts) + 1, 10):
        assert max(one.value for one in warm[:trials]) >= max(one.value for one in cold[:trials])
    assert warm[1].value > warm[0].value


def test_the_best_of_each_study_comes_first_and_each_family_has_few(workspace: Workspace) -> None:
    def scripted(*rates: float) -> Guide:
        return starting_with(*({"depth": 4, "learning_rate": rate} for rate in rates))

    run_study(workspace, "small", market(0.1), trials=2, guide=scripted(0.2, 0.1))
    run_study(workspace, "large", market(0.05), trials=4, guide=scripted(0.04, 0.05, 0.1, 0.05))
    run_study(workspace, "other", market(0.3), trials=1, guide=scripted(0.3), shape="other features")
    taken = starts_in(workspace)
    assert len(taken) == MOST_OF_A_FAMILY
    assert [(one.study, one.trial, one.parameters["learning_rate"]) for one in taken] == [
        ("large", 1, 0.05),
        ("small", 1, 0.1),
        ("large", 0, 0.04),
    ]
    engine = existing_studies(workspace)
    assert engine is not None
    narrow = {"catboost": space_of(CatBoostParameters(), {"learning_rate": Range(0.045, 0.06)})}
    with engine.connect() as connection:
        within = best_of_earlier(connection, study_names(connection), SHAPE, narrow)
        assert best_of_earlier(connection, study_names(connection), SHAPE, {"scorecard": {}}) == []
    assert [one.parameters["learning_rate"] for one in within] == [0.05]


def settings_of(workspace: Workspace, data: DataSettings, **changed: object) -> TuneSettings:
    settings = TuneSettings(workspace=str(workspace.root), data=data, split=SplitSettings(folds=2), trials=2)
    settings.candidate = ScorecardSettings(space={"smoothing": Range(1, 50, log=True)})
    for name, value in changed.items():
        setattr(settings, name, value)
    return settings


def leave_study(workspace: Workspace, experiment: Experiment, smoothing: float) -> None:
    """Leave an earlier study of one trial."""
    space, _ = plan(experiment, stops=False)
    guide = starting_with({"smoothing": smoothing})
    study = Study(workspace, f"score scorecard earlier{smoothing:g}", space, guide=guide, seed=0)
    study.note("shape", shape_of(experiment))
    list(study.run(lambda *_: ObjectiveValue(0.7), 1))


def test_warm_starts_are_looked_up_once_and_are_part_of_the_identity(
    workspace: Workspace, german_settings: DataSettings
) -> None:
    cold = resolve(settings_of(workspace, german_settings))
    asked = resolve(settings_of(workspace, german_settings, warm_start=True))
    leave_study(workspace, cold, 7.0)
    with started(asked) as (warm, notes):
        space, guide = plan(warm, stops=False)
        study = Study(workspace, warm.study, space, guide=guide, seed=0, title=warm.title)
        for name, value in notes.items():
            study.note(name, value)
    assert [one.parameters for one in warm.starts] == [{"smoothing": 7.0}]
    assert len({cold.study, asked.study, warm.study}) == 3
    leave_study(workspace, cold, 9.0)
    with started(asked) as (again, _):
        assert (again.starts, again.study) == (warm.starts, warm.study)
    with started(cold) as (same, notes):
        assert (same, notes) == (cold, {"shape": shape_of(cold)})
    with started(replace(asked, settings=replace(asked.settings, seed=1))) as (other, _):
        assert [one.parameters["smoothing"] for one in other.starts] == [9.0, 7.0]


def test_warm_starts_follow_the_first_configuration_of_each_family(
    workspace: Workspace, german_settings: DataSettings
) -> None:
    names = ["lightgbm", "scorecard"]
    cold = resolve(settings_of(workspace, german_settings, candidate=AutoSettings(families=names)))
    starts = (WarmStart("a", 3, "lightgbm", {"num_leaves": 7}), WarmStart("a", 5, "scorecard", {"smoothing": 3.0}))
    _, guide = plan(replace(cold, starts=starts), stops=False)
    tried = [guide(number, []) for number in range(6)]
    assert [one["family"] for one in tried[:4]] == ["scorecard", "lightgbm", "lightgbm", "scorecard"]
    assert tried[2] == {**tried[1], "num_leaves": 7}
    assert tried[3] == {**tried[0], "smoothing": 3.0}
    _, before = plan(cold, stops=False)
    assert [before(number, []) for number in (2, 3)] == tried[4:6]


@pytest.mark.integration
def test_a_warm_study_goes_on_and_replays_after_the_earlier_one_is_gone(
    workspace: Workspace, german_settings: DataSettings
) -> None:
    earlier = tune(settings_of(workspace, german_settings, trials=4, model="other", seed=3)).result
    first = tune(settings_of(workspace, german_settings, warm_start=True)).result
    store, run_id = ModelStore(workspace), str(first["run_id"])
    (start, *_) = store.read_record(run_id, "warm_start.json")
    assert start["study"] == earlier["study"]
    trials = store.read_record(run_id, "trials.json")
    assert trials[1]["parameters"] == start["parameters"]
    optuna.delete_study(study_name=f"other scorecard {earlier['study']}", storage=study_storage(workspace))
    more = tune(settings_of(workspace, german_settings, warm_start=True, trials=4)).result
    assert (more["study"], more["trials"]) == (first["study"], 4)
    assert json.dumps(store.read_record(run_id, "trials.json")[:2]) == json.dumps(trials)
    replayed = replay(ReplaySettings(workspace=str(workspace.root), run=run_id))
    assert replayed.exit_code is ExitCode.DONE, replayed.summary


def test_a_fair_search_has_no_warm_start(workspace: Workspace, german_settings: DataSettings) -> None:
    with pytest.raises(ConfigurationError, match="warm_start is true, and search=fair starts from the configured"):
        search_fair(settings_of(workspace, german_settings, warm_start=True, search=Search.fair))
