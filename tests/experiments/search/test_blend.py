"""A blend is tuned, registered, compared, documented and replayed like any other model, and its parts are shown."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from experiments.compare.leaderboard import compare
from experiments.compare.settings import CompareSettings
from experiments.document.gathering import write_document
from experiments.experiment.experiment import resolve
from experiments.experiment.settings import Search, TuneSettings
from experiments.fair_search.search_fair import search_fair
from experiments.replay.replay import replay
from experiments.replay.settings import ReplaySettings
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, Source, SplitSettings
from pipelines.candidates.families.blend import BlendParameters, BlendPart, BlendSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.settings import CandidateSettings
from pipelines.command.verb import ExitCode
from pipelines.errors import ConfigurationError
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER, PARTS, PROVENANCE
from pipelines.storage.workspace import Workspace

PARTS_OF_BLEND = BlendParameters(
    [
        BlendPart("scorecard", {"max_bins": 4}, 0.375, average=False),
        BlendPart("catboost", {"iterations": 10, "depth": 3}, 0.625),
    ]
)


DATA = DataSettings(source=Source.german_credit, label="creditability", bad="bad")


def settings_of(workspace: Workspace, candidate: CandidateSettings) -> TuneSettings:
    split = SplitSettings(folds=3)
    return TuneSettings(workspace=str(workspace.root), data=DATA, split=split, candidate=candidate, trials=1, threads=1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace.at(str(tmp_path_factory.mktemp("blend")))


@pytest.fixture(scope="module")
def registered(shared: Workspace) -> RegisteredModel:
    tune(settings_of(shared, BlendSettings(parameters=PARTS_OF_BLEND)))
    version = ModelStore(shared).aliased("credit_score", CHALLENGER)
    assert version is not None
    return version


def test_a_blend_is_registered_with_its_parts_and_replayed(shared: Workspace, registered: RegisteredModel) -> None:
    assert json.loads(registered.tags[PARTS]) == [
        {"family": "scorecard", "weight": 0.375, "models": 1},
        {"family": "catboost", "weight": 0.625, "models": 3},
    ]
    outcome = compare(CompareSettings(workspace=str(shared.root)))
    assert "blend of 2" in str(outcome.summary[0])
    assert "version 1: blend of 2: catboost 0.62, scorecard 0.38" in outcome.summary
    page = write_document(ModelStore(shared), registered, []).read_text()
    assert "weighted sum of the log-odds of 2 parts" in page
    assert "iterations 10" in page
    environment = ModelStore(shared).read_record(registered.run_id, PROVENANCE)
    assert environment is not None
    assert "catboost" in environment["packages"]
    replayed = replay(ReplaySettings(workspace=str(shared.root), version=registered.version))
    assert replayed.exit_code is ExitCode.DONE, replayed.summary


def test_parts_alone_make_the_registered_blend_again_in_a_study_of_another_family(
    shared: Workspace, registered: RegisteredModel
) -> None:
    experiment = resolve(settings_of(shared, ScorecardSettings()))
    recorded = json.loads(json.dumps(asdict(PARTS_OF_BLEND)))
    fitted = experiment.candidate_with(recorded).fit(experiment.development, seed=0, threads=1)
    test = experiment.test.columns
    log_odds, _ = load_predictor(ModelStore(shared), registered).predict(test)
    np.testing.assert_array_equal(fitted.log_odds(test), log_odds)


def test_a_fair_search_refuses_a_blend(shared: Workspace) -> None:
    settings = replace(settings_of(shared, BlendSettings(parameters=PARTS_OF_BLEND)), search=Search.fair)
    with pytest.raises(
        ConfigurationError, match="candidate=blend combines several models, and search=fair searches one"
    ):
        search_fair(settings)
