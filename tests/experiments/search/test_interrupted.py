"""An interrupted search keeps its trials; workers of a command change nothing but the time."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from experiments.experiment.settings import TuneSettings
from experiments.search import tune as tune_module
from experiments.search.objective import objective_of
from experiments.search.out_of_fold import CrossValidation
from experiments.search.trial_result import Objective, ObjectiveValue, Parameters, TrialResult
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.settings import AutoSettings, Range
from pipelines.errors import ThinfileError
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace
from tests.evidence.commands import final_of


@pytest.fixture
def settings(workspace: Workspace, german_settings: DataSettings) -> TuneSettings:
    candidate = ScorecardSettings(space={"smoothing": Range(1, 50, log=True)})
    return TuneSettings(workspace=str(workspace.root), data=german_settings, candidate=candidate, trials=6)


@pytest.mark.integration
def test_an_interrupted_search_says_how_to_go_on_and_how_to_register(
    settings: TuneSettings, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted_at_the_third(validation: CrossValidation) -> Objective:
        objective = objective_of(validation)

        def cross_validated_auc(parameters: Parameters, earlier: Sequence[TrialResult]) -> ObjectiveValue:
            calls.append(parameters)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return objective(parameters, earlier)

        return cross_validated_auc

    calls: list[Parameters] = []
    monkeypatch.setattr(tune_module, "objective_of", interrupted_at_the_third)
    message = (
        r"^interrupted after 2 trials, best cross-validated AUC 0\.\d{4}: the same command goes on; with trials=2 it"
    )
    with pytest.raises(KeyboardInterrupt, match=message):
        tune(settings)
    store = ModelStore(workspace)
    runs = store.client.search_runs([store.experiment("credit_score")])
    assert [run.info.status for run in runs] == ["KILLED"]
    assert not store.versions("credit_score")
    registered = tune(replace(settings, trials=2)).result
    assert (registered["trials"], registered["is_new"], len(calls)) == (2, True, 3)
    assert tune(settings).result["trials"] == 6


@pytest.mark.integration
def test_two_workers_register_the_model_of_one(settings: TuneSettings) -> None:
    expected = tune(settings).result
    other = replace(settings, workspace=f"{settings.workspace}-other", workers=2)
    found = tune(other).result
    changing = {"run_id": "", "model_hash": ""}  # both hold ids of MLflow
    assert found | changing == expected | changing
    assert final_of(Workspace.at(other.workspace), found) == final_of(Workspace.at(settings.workspace), expected)


@pytest.mark.integration
def test_a_search_over_families_of_which_every_trial_fails_names_the_cause(
    settings: TuneSettings, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> ObjectiveValue:
        raise MemoryError("out of memory")

    monkeypatch.setattr(tune_module, "objective_of", lambda _: failing)
    with pytest.raises(ThinfileError, match=r"^all 3 trials failed with: MemoryError: out of memory$"):
        tune(replace(settings, candidate=AutoSettings(), trials=3))
    assert not ModelStore(workspace).versions("credit_score")
