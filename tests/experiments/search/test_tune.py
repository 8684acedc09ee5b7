"""What a study leaves in MLflow: one run, its best trials, one version, nothing doubled and nothing running."""

import json
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from experiments.experiment.experiment import resolve
from experiments.experiment.settings import TuneSettings
from experiments.promotion.promote import promote
from experiments.promotion.settings import PromoteSettings
from experiments.search.tracking import TOP_TRIALS
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, SplitSettings
from pipelines.candidates.families.catboost import CatBoostSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.settings import Range
from pipelines.model_store.files import PROFILE
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER, KIND, STUDY
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.storage.workspace import Workspace


def settings_of(workspace: Workspace, data: DataSettings, trials: int) -> TuneSettings:
    candidate = ScorecardSettings(space={"smoothing": Range(1, 50, log=True)})
    return TuneSettings(workspace=str(workspace.root), data=data, candidate=candidate, trials=trials)


@pytest.mark.integration
def test_asked_again_it_registers_nothing_and_asked_for_more_it_goes_on(
    workspace: Workspace, german_settings: DataSettings
) -> None:
    first = tune(settings_of(workspace, german_settings, 3)).result
    again = tune(settings_of(workspace, german_settings, 3)).result
    assert (first["is_new"], again["is_new"]) == (True, False)
    assert {**first, "is_new": None} == {**again, "is_new": None}
    more = tune(settings_of(workspace, german_settings, 8)).result
    assert (more["study"], more["run_id"], more["trials"]) == (first["study"], first["run_id"], 8)
    store = ModelStore(workspace)
    runs = store.client.search_runs([store.experiment("credit_score")])
    kinds = [run.data.tags[KIND] for run in runs]
    assert kinds.count("study") == 1
    assert kinds.count("trial") >= TOP_TRIALS
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len(store.versions("credit_score")) == 1 + bool(more["is_new"])
    history = store.client.get_metric_history(str(first["run_id"]), "best_cv_auc")
    assert sorted(point.step for point in history) == list(range(8))


def test_the_version_carries_its_evidence_and_its_reference_profile(
    workspace: Workspace, german_settings: DataSettings
) -> None:
    answered = tune(settings_of(workspace, german_settings, 1)).result
    store = ModelStore(workspace)
    version = store.aliased("credit_score", CHALLENGER)
    assert version is not None
    pictures = {"roc.svg", "kolmogorov_smirnov.svg", "calibration.svg", "distribution.svg"}
    expected = {f"evaluation/{name}" for name in (*pictures, "evaluation.json")} | {"points_table.csv"}
    assert set(store.attached_names(version)) == expected
    profile = ReferenceProfile.from_json((store.download(version) / PROFILE).read_text())
    assert profile.rows == answered["test"]["rows"] == 300  # type: ignore[index]
    recorded = {path.path for path in store.client.list_artifacts(version.run_id)}
    assert recorded == {"config.json", "data.json", "final.json", "provenance.json", "trials.json", "versions"}
    made_with = json.loads(Path(store.client.download_artifacts(version.run_id, "provenance.json")).read_text())
    assert made_with["threads"] == 2
    assert made_with["packages"]["mlflow"] == mlflow.__version__


@pytest.mark.integration
def test_the_run_of_a_study_that_was_abandoned_is_closed(workspace: Workspace, german_settings: DataSettings) -> None:
    # given: a run whose study nobody works on, as after kill -9
    store = ModelStore(workspace)
    experiment = store.experiment("credit_score")
    abandoned = store.open_run(experiment, "abandoned", {STUDY: "gone", KIND: "study"})
    # when another study is tuned
    tune(settings_of(workspace, german_settings, 1))
    # then
    assert store.client.get_run(abandoned).info.status == "KILLED"


@pytest.mark.parametrize(
    "changed", [{"seed": 1}, {"threads": 1}, {"model": "other"}, {"candidate": CatBoostSettings()}]
)
def test_the_identity_of_a_study_is_its_question(
    changed: dict[str, object], workspace: Workspace, german_settings: DataSettings, tmp_path: Path
) -> None:
    asked = settings_of(workspace, german_settings, 3)
    same = settings_of(Workspace.at(str(tmp_path / "elsewhere")), german_settings, 99)
    other = settings_of(workspace, german_settings, 3)
    for name, value in changed.items():
        setattr(other, name, value)
    assert resolve(asked).study == resolve(same).study != resolve(other).study


@pytest.mark.integration
def test_the_seed_of_a_search_leaves_the_split_alone_and_its_version_can_be_promoted(
    workspace: Workspace, german_settings: DataSettings
) -> None:
    first = settings_of(workspace, german_settings, 1)
    other = replace(first, seed=3)
    assert resolve(first).split.test_part == resolve(other).split.test_part
    assert resolve(replace(first, split=SplitSettings(seed=3))).split.test_part != resolve(first).split.test_part
    version = int(str(tune(other).result["version"]))
    promoted = promote(PromoteSettings(workspace=str(workspace.root), version=version))
    assert promoted.result["decision"] == "promoted"
